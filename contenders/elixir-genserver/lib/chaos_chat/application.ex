defmodule ChaosChat.Application do
  @moduledoc """
  The supervision tree.

  `:rest_for_one`, because what stands below depends on what stands above: when a server dies, who is
  in which room is forgotten, and the only honest answer is to drop the connections, which can join
  again. Stopping goes from the bottom to the top: first nobody is accepted any more, then every
  connection says goodbye, then the servers go.
  """

  use Application

  alias ChaosChat.{Acceptor, Connection, Descriptors, Listener, Server, Stats}

  # One `start_child` call takes microseconds; the acceptors are many so that one that waits for a
  # descriptor, or for its connection to start, holds up nobody.
  @acceptors 32

  @impl true
  def start(_type, _args) do
    variant = Application.fetch_env!(:chaos_chat, :variant)
    Stats.init()

    children = [
      {
        PartitionSupervisor,
        # A restarted server would have forgotten its rooms without anybody noticing.
        name: ChaosChat.Servers,
        child_spec: {Server, batch_bytes(variant)},
        partitions: servers(variant),
        max_restarts: 0
      },
      {DynamicSupervisor, name: ChaosChat.Connections},
      {Listener,
       host: Application.fetch_env!(:chaos_chat, :host),
       port: Application.fetch_env!(:chaos_chat, :port)},
      acceptors(%Connection.Settings{
        batch_bytes: batch_bytes(variant),
        routing: if(variant == :tuned, do: :prefix, else: :scan),
        # Off the heap, a long mailbox is not copied by every collection; on it, short ones are faster.
        mailbox: if(variant == :tuned, do: :on_heap, else: :off_heap),
        connections: Descriptors.connections()
      })
    ]

    Supervisor.start_link(children, strategy: :rest_for_one, name: ChaosChat.Supervisor)
  end

  # The article's single GenServer, or one per scheduler.
  defp servers(:article), do: 1
  defp servers(_variant), do: System.schedulers_online()

  # How much is collected for one write to a socket, and for one message to each member of a room.
  defp batch_bytes(:article), do: 0
  defp batch_bytes(_variant), do: 65_536

  defp acceptors(settings) do
    children = for id <- 1..@acceptors, do: Supervisor.child_spec({Acceptor, settings}, id: id)

    %{
      id: Acceptor,
      type: :supervisor,
      start: {Supervisor, :start_link, [children, [strategy: :one_for_one]]}
    }
  end
end
