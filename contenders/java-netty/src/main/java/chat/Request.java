package chat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** What a message asks for; of an invalid one, `room` is the reason. */
record Request(Type type, String room) {
  enum Type {
    JOIN,
    ECHO,
    SAY,
    CRASH,
    INVALID
  }

  private static final JsonFactory JSON = new JsonFactory();
  private static final Pattern ROOM = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private static final Request ECHO = new Request(Type.ECHO, null);
  private static final Request CRASH = new Request(Type.CRASH, null);
  private static final Request NO_OBJECT = invalid("expected a JSON object");
  private static final Request NO_TYPE = invalid("type: expected join, echo, say or crash");
  private static final Request NO_ROOM =
      invalid("room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -");
  private static final Request NO_FIELDS =
      invalid("expected from (string), seq and at (integers) and text (string)");

  /** Reads the JSON token by token; the buffer is left as it is. */
  static Request parse(ByteBuf text) {
    try (InputStream bytes = new ByteBufInputStream(text.duplicate());
        JsonParser parser = text.hasArray() ? arrayParser(text) : JSON.createParser(bytes)) {
      return parse(parser);
    } catch (IOException e) {
      return NO_OBJECT;
    }
  }

  private static JsonParser arrayParser(ByteBuf text) throws IOException {
    return JSON.createParser(
        text.array(), text.arrayOffset() + text.readerIndex(), text.readableBytes());
  }

  private static Request parse(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) return NO_OBJECT;
    String type = null;
    String room = null;
    boolean from = false;
    boolean seq = false;
    boolean at = false;
    boolean said = false;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      JsonToken value = parser.nextToken();
      boolean string = value == JsonToken.VALUE_STRING;
      switch (key) {
        case "type" -> type = string ? parser.getText() : null;
        case "room" -> room = string ? parser.getText() : null;
        case "from" -> from = string;
        case "seq" -> seq = value == JsonToken.VALUE_NUMBER_INT;
        case "at" -> at = value == JsonToken.VALUE_NUMBER_INT;
        case "text" -> said = string;
        default -> parser.skipChildren();
      }
    }
    if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null)
      return NO_OBJECT;
    boolean whole = from && seq && at && said;
    return switch (type == null ? "" : type) {
      case "join" -> isRoom(room) ? new Request(Type.JOIN, room) : NO_ROOM;
      case "echo" -> whole ? ECHO : NO_FIELDS;
      case "say" -> !isRoom(room) ? NO_ROOM : whole ? new Request(Type.SAY, room) : NO_FIELDS;
      case "crash" -> CRASH;
      default -> NO_TYPE;
    };
  }

  static ByteBuf joined(String room) {
    return ascii("{\"type\":\"joined\",\"room\":\"" + room + "\"}");
  }

  /** The reasons are this server's own and need no escaping. */
  static ByteBuf error(String reason) {
    return ascii("{\"type\":\"error\",\"reason\":\"" + reason + "\"}");
  }

  private static ByteBuf ascii(String text) {
    return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static boolean isRoom(String name) {
    return name != null && ROOM.matcher(name).matches();
  }

  private static Request invalid(String reason) {
    return new Request(Type.INVALID, reason);
  }
}
