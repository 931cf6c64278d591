"""A people counter as it is commonly written: OpenCV reads every camera, ONNX Runtime runs the model. A peer of the bench.

Every camera has a thread that decodes all of its frames and keeps the newest; one loop takes them in turn, so often a second.
Prints a JSON line per analysed frame, and one with the cost at the end. The same model file, the same input and the same
post-processing as the hub's detector in one pass.
"""
import argparse
import json
import os
import threading
import time

os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|threads;1")
import cv2  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402

SIDE = 416
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
STD = np.array([57.375, 57.12, 58.395], np.float32)


class Camera(threading.Thread):
    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.frame, self.lock = url, None, threading.Lock()

    def run(self):
        capture = cv2.VideoCapture(self.url, cv2.CAP_FFMPEG)
        while True:
            ok, frame = capture.read()
            if not ok:
                time.sleep(1)
                capture = cv2.VideoCapture(self.url, cv2.CAP_FFMPEG)
                continue
            with self.lock:
                self.frame = frame

    def take(self):
        with self.lock:
            frame, self.frame = self.frame, None
        return frame


def people(session, name, frame):
    height, width = frame.shape[:2]
    factor = min(SIDE / width, SIDE / height)
    small = cv2.resize(frame, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_LINEAR)
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    outputs = session.run(None, {name: ((canvas - MEAN) / STD).transpose(2, 0, 1)[None]})
    boxes, scores = [], []
    for classes, distances, stride in zip(outputs[:3], outputs[3:], (8, 16, 32)):
        person = classes[0, :, 0]
        cells = np.nonzero(person >= 0.45)[0]
        if not len(cells):
            continue
        bins = distances[0, cells].reshape(len(cells), 4, -1)
        weights = np.exp(bins - bins.max(-1, keepdims=True))
        sides = (weights / weights.sum(-1, keepdims=True) @ np.arange(bins.shape[-1])) * stride
        columns = -(-SIDE // stride)
        x, y = (cells % columns + 0.5) * stride, (cells // columns + 0.5) * stride
        for i in range(len(cells)):
            left, top, right, bottom = sides[i]
            boxes.append([float(x[i] - left), float(y[i] - top), float(left + right), float(top + bottom)])
            scores.append(float(person[cells[i]]))
    return len(cv2.dnn.NMSBoxes(boxes, scores, 0.45, 0.5)) if boxes else 0


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--rate", type=float, required=True, help="analysed frames per camera and second")
    arguments.add_argument("--seconds", type=float, required=True)
    arguments.add_argument("urls", nargs="+")
    arguments = arguments.parse_args()
    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    cameras = [Camera(url) for url in arguments.urls]
    for camera in cameras:
        camera.start()
    period = 1 / arguments.rate
    due = [time.monotonic() + 8 + period * i / len(cameras) for i in range(len(cameras))]
    time.sleep(8)
    start, cpu, analysed = time.monotonic(), time.process_time(), 0
    while time.monotonic() < start + arguments.seconds:
        i = min(range(len(cameras)), key=due.__getitem__)
        time.sleep(max(0.0, min(due[i], start + arguments.seconds) - time.monotonic()))
        # Late: from now on, as no frame is analysed twice.
        due[i] = max(due[i] + period, time.monotonic())
        frame = cameras[i].take()
        if frame is None:
            due[i] = time.monotonic() + 0.02
            continue
        count = people(session, name, frame)
        analysed += 1
        print(json.dumps({"camera": i, "people": count}), flush=True)
    seconds = time.monotonic() - start
    cost = (time.process_time() - cpu) * 1e3 / seconds / len(cameras)
    print(json.dumps({"cpu_ms_per_camera_second": cost, "analysed_per_camera_second": analysed / seconds / len(cameras)}), flush=True)
    os._exit(0)


main()
