"""Every operation that is offered, by its name on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.rekognition.operations import collections, faces, liveness, looking, users
from kiosk.rekognition.operations.site import Operation

TABLE: Mapping[str, Operation] = {
    "CreateCollection": collections.create_collection,
    "DescribeCollection": collections.describe_collection,
    "ListCollections": collections.list_collections,
    "DeleteCollection": collections.delete_collection,
    "DetectFaces": looking.detect_faces,
    "CompareFaces": looking.compare_faces,
    "IndexFaces": faces.index_faces,
    "ListFaces": faces.list_faces,
    "SearchFaces": faces.search_faces,
    "SearchFacesByImage": faces.search_faces_by_image,
    "DeleteFaces": faces.delete_faces,
    "CreateUser": users.create_user,
    "DeleteUser": users.delete_user,
    "ListUsers": users.list_users,
    "AssociateFaces": users.associate_faces,
    "DisassociateFaces": users.disassociate_faces,
    "SearchUsers": users.search_users,
    "SearchUsersByImage": users.search_users_by_image,
    "CreateFaceLivenessSession": liveness.create_face_liveness_session,
    "GetFaceLivenessSessionResults": liveness.get_face_liveness_session_results,
}
