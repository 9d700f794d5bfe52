package chat;

import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler.HandshakeComplete;
import io.netty.handler.flush.FlushConsolidationHandler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One client: what it asks for is done in its event loop, in the order in which it asked. */
final class ChatHandler extends SimpleChannelInboundHandler<WebSocketFrame> {
  /** What is flushed at most together: about one write of short messages. */
  private static final int MAX_FLUSHES = 256;

  private final Chat chat;
  private final Set<String> rooms = new HashSet<>();
  private boolean open;

  /** Frames in the same packet as the handshake come before its answer can be written. */
  private final List<WebSocketFrame> early = new ArrayList<>(0);

  ChatHandler(Chat chat) {
    this.chat = chat;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (event instanceof HandshakeComplete) {
      ctx.pipeline().remove(HttpHandler.class);
      // Not before: it would hold the handshake's answer back until frames behind it were taken for
      // HTTP.
      ctx.pipeline().addFirst(new FlushConsolidationHandler(MAX_FLUSHES, true));
      open = true;
      chat.open(ctx.channel());
      for (WebSocketFrame frame : early) channelRead(ctx, frame);
      early.clear();
      ctx.flush();
    }
    super.userEventTriggered(ctx, event);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) throws Exception {
    if (open) chat.close(ctx.channel(), rooms);
    early.forEach(WebSocketFrame::release);
    early.clear();
    super.channelInactive(ctx);
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
    if (!open) {
      early.add(frame.retain());
      return;
    }
    if (frame instanceof CloseWebSocketFrame closing) {
      answer(ctx, closing.statusCode());
      return;
    }
    if (!(frame instanceof TextWebSocketFrame text)) {
      close(ctx, WebSocketCloseStatus.INVALID_MESSAGE_TYPE);
      return;
    }
    chat.received();
    Request request = Request.parse(text.content());
    switch (request.type()) {
      case ECHO -> chat.send(ctx.channel(), text.content().retain());
      case SAY -> chat.say(request.room(), text.content());
      case JOIN -> {
        rooms.add(request.room());
        chat.join(ctx.channel(), request.room());
        chat.send(ctx.channel(), Request.joined(request.room()));
      }
      case CRASH -> {
        Map<String, String> nobody = new HashMap<>();
        nobody.get("crash").length(); // the fault of the contract: there is no such entry
      }
      case INVALID -> chat.send(ctx.channel(), Request.error(request.room()));
    }
  }

  /** What was written for others is flushed by those who wrote it. */
  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    ctx.flush();
  }

  /** Netty passes on what a handler throws, and leaves the connection to it. */
  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
    if (cause instanceof TooLongFrameException) {
      close(ctx, WebSocketCloseStatus.MESSAGE_TOO_BIG);
    } else if (cause instanceof CorruptedWebSocketFrameException corrupted) {
      close(ctx, corrupted.closeStatus());
    } else if (cause instanceof java.io.IOException) {
      ctx.close();
    } else {
      super.exceptionCaught(ctx, cause); // logs it
      ctx.close();
    }
  }

  /** Netty's own answer would also repeat a code that may not be sent (RFC 6455, section 7.4). */
  private static void answer(ChannelHandlerContext ctx, int code) {
    if (code < 0) close(ctx, new CloseWebSocketFrame());
    else if (code >= 5000) close(ctx, WebSocketCloseStatus.PROTOCOL_ERROR);
    else close(ctx, new CloseWebSocketFrame(code, ""));
  }

  private static void close(ChannelHandlerContext ctx, WebSocketCloseStatus status) {
    close(ctx, new CloseWebSocketFrame(status));
  }

  private static void close(ChannelHandlerContext ctx, CloseWebSocketFrame frame) {
    ctx.channel().writeAndFlush(frame).addListener(ChannelFutureListener.CLOSE);
  }
}
