"""Answers questions about an MLflow server with Python's own client: one JSON object a line in, one out."""

import json
import os
import sys
import tempfile
import traceback

os.environ["MLFLOW_TRACKING_URI"] = sys.argv[1]

import mlflow
from mlflow import MlflowClient

client = MlflowClient()


def number(value):
    return value if value == value and abs(value) != float("inf") else str(value)


def run(run_id):
    run = client.get_run(run_id)
    return {
        "name": run.info.run_name,
        "user": run.info.user_id,
        "experiment": run.info.experiment_id,
        "status": run.info.status,
        "start": run.info.start_time,
        "end": run.info.end_time,
        "stage": run.info.lifecycle_stage,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {key: number(value) for key, value in run.data.metrics.items()},
        "datasets": [
            {**dict(each.dataset), "tags": {tag.key: tag.value for tag in each.tags}}
            for each in (run.inputs.dataset_inputs if run.inputs else [])
        ],
        "models": [
            {"id": each.model_id, "step": each.step} for each in (run.outputs.model_outputs if run.outputs else [])
        ],
    }


def experiment(name):
    found = client.get_experiment_by_name(name)
    return found and {"id": found.experiment_id, "tags": found.tags, "artifacts": found.artifact_location}


def runs(experiment):
    """Every run of an experiment, deleted ones not counted."""
    return [each.info.run_id for each in client.search_runs([experiment], max_results=1000)]


def history(run_id, keys=None):
    """key -> [[step, value, timestamp], ...] in the order logged."""
    keys = keys or sorted(client.get_run(run_id).data.metrics)
    return {
        key: [[m.step, number(m.value), m.timestamp] for m in client.get_metric_history(run_id, key)] for key in keys
    }


def artifacts(run_id, path=None):
    found = []
    for each in client.list_artifacts(run_id, path):
        found += artifacts(run_id, each.path) if each.is_dir else [[each.path, each.file_size]]
    return sorted(found)


def artifact(run_id, path):
    """A file's text."""
    with tempfile.TemporaryDirectory() as folder:
        with open(client.download_artifacts(run_id, path, folder), encoding="utf-8") as file:
            return file.read()


def model(model_id):
    found = mlflow.get_logged_model(model_id)
    return {
        "name": found.name,
        "status": str(found.status),
        "run": found.source_run_id,
        "tags": found.tags,
        "params": found.params,
        "metrics": {metric.key: number(metric.value) for metric in found.metrics or []},
        "datasets": {metric.key: metric.dataset_name for metric in found.metrics or []},
    }


def versions(name):
    return [
        {"version": each.version, "run": each.run_id, "model": each.model_id, "source": each.source}
        for each in client.search_model_versions(f"name='{name}'")
    ]


def predict(uri, inputs):
    """Loads a model as ONNX and runs it on arrays of these shapes, filled with i / n; returns shapes and sums."""
    import mlflow.onnx
    import numpy as np
    import onnxruntime

    loaded = mlflow.onnx.load_model(uri)
    session = onnxruntime.InferenceSession(loaded.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {
        name: (np.arange(np.prod(shape)) / np.prod(shape)).astype(np.float32).reshape(shape)
        for name, shape in inputs.items()
    }
    outputs = session.run(None, feeds)
    return {
        "inputs": {each.name: each.shape for each in session.get_inputs()},
        "outputs": {
            each.name: {"shape": list(value.shape), "sum": float(np.asarray(value, dtype=np.float64).sum())}
            for each, value in zip(session.get_outputs(), outputs)
        },
        "pyfunc": sorted(mlflow.pyfunc.load_model(uri).predict(feeds)),
    }


QUESTIONS = {f.__name__: f for f in (run, experiment, runs, history, artifacts, artifact, model, versions, predict)}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": QUESTIONS[asked.pop("question")](**asked)}
    except Exception:
        answer = {"value": None, "error": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
