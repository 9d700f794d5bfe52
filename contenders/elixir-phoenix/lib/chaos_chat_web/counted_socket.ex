defmodule ChaosChatWeb.CountedSocket do
  @moduledoc """
  `UserSocket`, with what goes in and out of it counted for `/stats`. Phoenix hands a broadcast to the
  connection's process already encoded, past the channel, so only here can it be counted.
  """

  @behaviour Phoenix.Socket.Transport

  alias ChaosChat.Stats
  alias ChaosChatWeb.UserSocket

  @impl true
  defdelegate child_spec(options), to: UserSocket

  @impl true
  defdelegate drainer_spec(options), to: UserSocket

  @impl true
  defdelegate connect(info), to: UserSocket

  @impl true
  def init(state) do
    Stats.add(:opened, 1)
    UserSocket.init(state)
  end

  @impl true
  def handle_in(message, state) do
    Stats.add(:received, 1)
    message |> UserSocket.handle_in(state) |> count()
  end

  @impl true
  def handle_info(message, state), do: message |> UserSocket.handle_info(state) |> count()

  @impl true
  def terminate(reason, state) do
    Stats.add(:dropped, waiting(0))
    # Last: who sees one connection fewer may rely on what it was owed being counted.
    Stats.add(:closed, 1)
    UserSocket.terminate(reason, state)
  end

  defp count({:push, _message, _state} = pushed), do: sent(pushed)
  defp count({:reply, _status, _message, _state} = replied), do: sent(replied)
  defp count(other), do: other

  defp sent(result) do
    Stats.add(:sent, 1)
    result
  end

  defp waiting(count) do
    receive do
      {:socket_push, _opcode, _payload} -> waiting(count + 1)
    after
      0 -> count
    end
  end
end
