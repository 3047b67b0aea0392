"""Kubernetes' way to an engine: the Container Runtime Interface, spoken over the engine's socket."""

import importlib
import json
import re
import subprocess
import sys

import images
from bench import Wrong

# The calls: what is asked, what is answered.
CALLS = {
    "Status": ("StatusRequest", "StatusResponse"),
    "RunPodSandbox": ("RunPodSandboxRequest", "PodSandboxID"),
    "PodSandboxStatus": ("PodSandboxID", "PodSandboxStatusResponse"),
    "StopPodSandbox": ("PodSandboxID", "Empty"),
    "RemovePodSandbox": ("PodSandboxID", "Empty"),
    "CreateContainer": ("CreateContainerRequest", "ContainerID"),
    "StartContainer": ("ContainerID", "Empty"),
    "StopContainer": ("StopContainerRequest", "Empty"),
    "RemoveContainer": ("ContainerID", "Empty"),
    "ContainerStatus": ("ContainerStatusRequest", "ContainerStatusResponse"),
    "ContainerStats": ("ContainerID", "ContainerStatsResponse"),
    "UpdateContainerResources": ("UpdateContainerResourcesRequest", "Empty"),
    "ExecSync": ("ExecSyncRequest", "ExecSyncResponse"),
}
# How long a call may take.
CALL_SECONDS = 60
# The runtime's default profile, which a kubelet with SeccompDefault asks for.
DEFAULT_PROFILE = {"profile_type": "RuntimeDefault"}


class Client:
    """Calls over the socket; requests are dictionaries, with the field names of cri.proto."""

    def __init__(self, engine, source):
        import grpc
        from google.protobuf import json_format
        subprocess.run(["protoc", "-I" + source, "--python_out=" + engine.folder, "cri.proto"], check=True)
        sys.path.insert(0, engine.folder)
        self.messages, self.format = importlib.import_module("cri_pb2"), json_format
        self.refusal = grpc.RpcError
        self.channel = grpc.insecure_channel("unix:" + engine.path("socket"))

    def call(self, name, **request):
        asked, answered = (getattr(self.messages, kind) for kind in CALLS[name])
        method = self.channel.unary_unary("/runtime.v1.RuntimeService/" + name,
                                          request_serializer=asked.SerializeToString,
                                          response_deserializer=answered.FromString)
        try:
            return method(self.format.ParseDict(request, asked()), timeout=CALL_SECONDS)
        except self.refusal as error:
            raise Wrong(f"{name}: {error.code().name}: {error.details()}") from None


def handler(engine):
    """What the README's RuntimeClass names."""
    return re.search(r"^handler: (\S+)$", engine.snippet("a class of pods"), re.MULTILINE)[1]


class Pod:
    """A pod sandbox of the runtime's handler, gone with everything in it at the end of a `with`. The cgroup of the pod
    is removed here, as by a kubelet, which works only when those of the containers are gone."""

    def __init__(self, client, bench, network="NODE", pid="CONTAINER", **linux):
        self.client, self.bench = client, bench
        self.namespaces = {"network": network, "pid": pid}
        self.config = {
            "metadata": {"name": bench.name, "uid": bench.name, "namespace": "default"},
            "log_directory": bench.folder,
            "linux": {"cgroup_parent": bench.engine.pod_cgroup(bench.name),
                      "security_context": {"namespace_options": self.namespaces, "seccomp": DEFAULT_PROFILE}, **linux},
        }
        if network != "NODE":
            self.config["hostname"] = bench.name
        self.id = client.call("RunPodSandbox", config=self.config,
                              runtime_handler=handler(bench.engine)).pod_sandbox_id

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.call("StopPodSandbox", pod_sandbox_id=self.id)
        self.client.call("RemovePodSandbox", pod_sandbox_id=self.id)
        self.bench.engine.remove_pod_cgroup(self.config["linux"]["cgroup_parent"])

    def status(self):
        return self.client.call("PodSandboxStatus", pod_sandbox_id=self.id).status

    def create(self, *command, name="main", context=None, resources=None, **more):
        context = {"namespace_options": self.namespaces, "seccomp": DEFAULT_PROFILE, **(context or {})}
        config = {"metadata": {"name": name}, "image": {"image": images.NAME}, "command": list(command),
                  "log_path": name + ".log",
                  "linux": {"security_context": context, "resources": resources or {}}, **more}
        answer = self.client.call("CreateContainer", pod_sandbox_id=self.id, config=config, sandbox_config=self.config)
        return Container(self, answer.container_id, name)

    def start(self, *command, **more):
        container = self.create(*command, **more)
        self.client.call("StartContainer", container_id=container.id)
        return container


class Container:
    """A container of a pod."""

    def __init__(self, pod, identifier, name):
        self.pod, self.id, self.name = pod, identifier, name
        self.call = pod.client.call


    def exec(self, *command, timeout=0):
        """Answers the exit status and what was written to both streams."""
        answer = self.call("ExecSync", container_id=self.id, cmd=list(command), timeout=timeout)
        return answer.exit_code, (answer.stdout + answer.stderr).decode(errors="replace").strip()

    def status(self):
        return self.call("ContainerStatus", container_id=self.id).status

    def pid(self):
        answer = self.call("ContainerStatus", container_id=self.id, verbose=True)
        return json.loads(answer.info["info"])["pid"]

    def wait(self):
        """The status of the container when it has ended."""
        ended = self.pod.client.messages.CONTAINER_EXITED
        return self.pod.bench.wait_for(f"{self.name} ends", lambda: (s := self.status()).state == ended and s)

    def log(self):
        return self.pod.bench.text(f"FOLDER/{self.name}.log")
