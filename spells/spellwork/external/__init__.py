"""External workers: long-lived objects with a configuration, whose methods are nodes.

::

    class CameraConfig(BaseModel):
        address: str = "10.0.0.7"
        password: SecretStr = SecretStr("")

    class Camera(ExternalWorker):
        name = "camera"
        config: CameraConfig

        @method(title="Snap")
        async def snap(self, exposure: float = 0.1) -> str:
            \"\"\"Take a picture.\"\"\"

``spellwork worker --connect wss://HOST --token T module:Camera`` runs it on any machine;
its nodes (``camera.snap``) are on the canvases that it was given to.
"""

from .worker import ExternalWorker, Secretless, method

__all__ = ["ExternalWorker", "Secretless", "method"]
