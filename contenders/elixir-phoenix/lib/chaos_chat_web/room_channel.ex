defmodule ChaosChatWeb.RoomChannel do
  @moduledoc """
  One client's membership of one room, a process of its own. What a client says goes to its topic; an echo
  is a push that gets a reply.
  """

  use Phoenix.Channel, log_join: false, log_handle_in: false

  @impl true
  def join("room:" <> _name, _params, socket), do: {:ok, socket}

  @impl true
  def handle_in("say", payload, socket) do
    broadcast!(socket, "say", payload)
    {:noreply, socket}
  end

  def handle_in("echo", payload, socket), do: {:reply, {:ok, payload}, socket}
end
