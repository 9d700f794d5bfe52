defmodule ChaosChat.Acceptor do
  @moduledoc "Accepts sockets for ever and gives each one to a connection process of its own."

  use Task, restart: :permanent

  alias ChaosChat.{Connection, Listener}

  # Out of descriptors (process, system) or ports: some connection has to end first.
  @exhausted [:emfile, :enfile, :system_limit]
  @pause_ms 100

  @spec start_link(Connection.Settings.t()) :: {:ok, pid}
  def start_link(settings), do: Task.start_link(__MODULE__, :run, [settings])

  @doc false
  def run(settings), do: accept(Listener.socket(), settings)

  defp accept(listener, settings) do
    case :gen_tcp.accept(listener) do
      {:ok, socket} ->
        hand_over(socket, settings)
        accept(listener, settings)

      {:error, reason} when reason in @exhausted ->
        Listener.report_exhausted(reason)
        Process.sleep(@pause_ms)
        accept(listener, settings)

      {:error, :closed} ->
        exit({:shutdown, :closed})

      # One that was gone before it was accepted.
      {:error, _reason} ->
        accept(listener, settings)
    end
  end

  defp hand_over(socket, settings) do
    with {:ok, connection} <-
           DynamicSupervisor.start_child(ChaosChat.Connections, {Connection, {socket, settings}}),
         :ok <- :gen_tcp.controlling_process(socket, connection) do
      Connection.begin(connection)
    else
      # The connection, if there is one, ends by its own handshake timeout.
      {:error, _reason} -> :gen_tcp.close(socket)
    end
  end
end
