package chat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/** Environment, listener, pipeline, SIGTERM. */
public final class Server {
  static final int MAX_MESSAGE_BYTES = 64 * 1024;

  /** A client for which more is held, beyond what the kernel holds, is disconnected. */
  private static final int MAX_BACKLOG_BYTES = 1024 * 1024;

  private static final int MAX_HEAD_BYTES = 8 * 1024;
  private static final int BACKLOG = 4096;
  private static final long CLOSE_WAIT_MS = 3_000;

  private static final WebSocketServerProtocolConfig WEB_SOCKET =
      WebSocketServerProtocolConfig.newBuilder()
          .websocketPath("/ws")
          .checkStartsWith(true)
          .dropPongFrames(true)
          .handleCloseFrames(false)
          .forceCloseTimeoutMillis(1_000)
          .decoderConfig(
              WebSocketDecoderConfig.newBuilder()
                  .maxFramePayloadLength(MAX_MESSAGE_BYTES)
                  .allowExtensions(false)
                  .closeOnProtocolViolation(false)
                  .withUTF8Validator(true)
                  .build())
          .build();

  private Server() {}

  public static void main(String[] args) throws InterruptedException {
    String host = System.getenv().getOrDefault("HOST", "127.0.0.1");
    int port = port(System.getenv("PORT"));
    Chat chat = new Chat();
    boolean epoll = Epoll.isAvailable();
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    Class<? extends ServerChannel> type =
        epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    // As many as there are CPUs that the process may use, for accepting and for clients.
    EventLoopGroup loops =
        new MultiThreadIoEventLoopGroup(Runtime.getRuntime().availableProcessors(), io);
    Channel listener =
        new ServerBootstrap()
            .group(loops)
            .channel(type)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(MAX_BACKLOG_BYTES / 2, MAX_BACKLOG_BYTES))
            .childHandler(pipeline(chat))
            .bind(new InetSocketAddress(host, port))
            .sync()
            .channel();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> shutDown(listener, chat)));
    listener.closeFuture().sync();
  }

  private static ChannelInitializer<SocketChannel> pipeline(Chat chat) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(SocketChannel channel) {
        channel
            .pipeline()
            // Not HttpServerCodec, after whose removal frames behind the handshake would miss the
            // decoder.
            .addLast(new HttpRequestDecoder())
            .addLast(new HttpResponseEncoder())
            .addLast(new HttpObjectAggregator(MAX_HEAD_BYTES))
            .addLast(new HttpHandler(chat))
            .addLast(new WebSocketServerProtocolHandler(WEB_SOCKET))
            .addLast(new WebSocketFrameAggregator(MAX_MESSAGE_BYTES))
            .addLast(new ChatHandler(chat));
      }
    };
  }

  private static int port(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      System.err.println("PORT is " + text + ": expected a port to listen on");
      System.exit(2);
      return 0;
    }
  }

  private static void shutDown(Channel listener, Chat chat) {
    listener.close();
    chat.closeAll();
    try {
      chat.awaitEmpty(CLOSE_WAIT_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    // A JVM that ends by a signal says 143, although all went well.
    Runtime.getRuntime().halt(0);
  }
}
