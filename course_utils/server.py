"""JupyterLab's server, told not to hold back small messages."""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The connection between a page and its kernel, without Nagle's algorithm.

    A slider's answer is a few KB. The system would hold back its end until the browser has
    acknowledged its beginning, which takes up to 40 ms: nearly half of what a slider may take.
    """

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()
