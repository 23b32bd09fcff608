"""Cameras: picamera2, V4L2 or GStreamer through OpenCV, files, recordings."""
