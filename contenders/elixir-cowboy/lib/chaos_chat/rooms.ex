defmodule ChaosChat.Rooms do
  @moduledoc """
  Who is in which room, in a `Registry` with duplicate keys: what Phoenix.PubSub is on one node.

  The sender's own process walks the members, so its messages keep their order, and no process is in the
  way of others.
  """

  @type room :: String.t()

  def child_spec(_options) do
    Registry.child_spec(
      keys: :duplicate,
      name: __MODULE__,
      partitions: System.schedulers_online()
    )
  end

  @doc "Enters the calling process as a connection."
  @spec enter() :: :ok
  def enter, do: register(:connections)

  @doc "Makes the calling process a member."
  @spec join(room) :: :ok
  def join(room) do
    if {:room, room} in Registry.keys(__MODULE__, self()), do: :ok, else: register({:room, room})
  end

  @doc "Takes the calling process out of everything. A broadcast that is under way may still reach it."
  @spec leave() :: :ok
  def leave do
    __MODULE__ |> Registry.keys(self()) |> Enum.each(&Registry.unregister(__MODULE__, &1))
  end

  @doc "Sends `{:deliver, text}` to every member."
  @spec broadcast(room, String.t()) :: :ok
  def broadcast(room, text), do: send_all({:room, room}, {:deliver, text})

  @doc "Sends `:close` to every connection."
  @spec close_all() :: :ok
  def close_all, do: send_all(:connections, :close)

  defp register(key) do
    {:ok, _owner} = Registry.register(__MODULE__, key, nil)
    :ok
  end

  defp send_all(key, message) do
    Registry.dispatch(__MODULE__, key, fn entries ->
      for {connection, nil} <- entries, do: send(connection, message)
    end)
  end
end
