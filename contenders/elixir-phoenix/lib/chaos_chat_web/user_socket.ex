defmodule ChaosChatWeb.UserSocket do
  use Phoenix.Socket, log: false

  channel "room:*", ChaosChatWeb.RoomChannel

  @impl true
  def connect(_params, socket, _connect_info), do: {:ok, socket}

  @impl true
  def id(_socket), do: nil
end
