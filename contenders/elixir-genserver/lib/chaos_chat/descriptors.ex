defmodule ChaosChat.Descriptors do
  @moduledoc """
  How many connections the descriptor limit leaves room for.

  Upgrades past that number are refused with a 503. Without it, a full descriptor table would leave
  clients hanging in the backlog, and `/stats` with them.
  """

  # For the listener, the VM's own files, `/stats`, and connections that are about to be refused.
  @reserve 64

  @doc "The limit on open WebSocket connections."
  @spec connections() :: pos_integer
  def connections, do: max(limit() - @reserve, 1)

  @doc "The descriptor limit of this process, as the VM's poll sets know it."
  @spec limit() :: pos_integer
  def limit do
    :check_io |> :erlang.system_info() |> Enum.map(&Keyword.fetch!(&1, :max_fds)) |> Enum.max()
  end
end
