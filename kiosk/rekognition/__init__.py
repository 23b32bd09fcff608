"""Amazon Rekognition's own protocol, answered by the engine on this machine.

``model`` knows the service's shapes (from botocore), ``sigv4`` who is asking, ``access`` what they may, ``operations``
what is answered, ``server`` carries it over HTTP. What is stored lies behind ``shelf``, a port.
"""
