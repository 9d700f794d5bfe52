defmodule ChaosChatWeb.StatsPlug do
  @moduledoc "GET /stats; anything else is not here."

  @behaviour Plug

  import Plug.Conn

  @impl true
  def init(options), do: options

  @impl true
  def call(%{method: "GET", path_info: ["stats"]} = conn, _options) do
    conn
    |> put_resp_content_type("application/json")
    |> send_resp(200, ChaosChat.Stats.to_json())
  end

  def call(conn, _options), do: send_resp(conn, 404, "")
end
