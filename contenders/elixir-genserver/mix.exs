defmodule ChaosChat.MixProject do
  use Mix.Project

  def project do
    [
      app: :chaos_chat,
      version: "1.0.0",
      elixir: "~> 1.14",
      elixirc_paths: if(Mix.env() == :test, do: ["lib", "test"], else: ["lib"]),
      start_permanent: Mix.env() == :prod,
      elixirc_options: [warnings_as_errors: true],
      # OTP and Elixir only: nothing is fetched, so the build needs no Hex and asks no questions.
      deps: [],
      releases: [chaos_chat: [include_executables_for: [:unix]]]
    ]
  end

  def application do
    [mod: {ChaosChat.Application, []}, extra_applications: [:crypto, :logger]]
  end
end
