defmodule ChaosChat.Application do
  @moduledoc "The two processes that `mix phx.new` starts for channels: PubSub and the endpoint."

  use Application

  @impl true
  def start(_type, _args) do
    ChaosChat.Stats.init()
    children = [{Phoenix.PubSub, name: ChaosChat.PubSub}, ChaosChatWeb.Endpoint]
    Supervisor.start_link(children, strategy: :one_for_one, name: ChaosChat.Supervisor)
  end
end
