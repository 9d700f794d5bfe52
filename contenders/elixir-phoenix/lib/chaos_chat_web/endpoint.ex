defmodule ChaosChatWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :chaos_chat

  socket "/ws", ChaosChatWeb.CountedSocket,
    websocket: [
      path: "/",
      # A client need not send heartbeats: the contract leaves a silent connection open.
      timeout: :infinity,
      max_frame_size: 65_536,
      fullsweep_after: 20
    ],
    longpoll: false,
    drainer: [batch_size: 100_000, shutdown: 3_000]

  plug ChaosChatWeb.StatsPlug
end
