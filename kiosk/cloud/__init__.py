"""Places in the cloud: a directory in DynamoDB and pictures in S3, behind enrollment's ports."""
