import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * GoldenMessages: what Kafka's generated message classes write, as JSON lines on standard output.
 *
 * <p>One line per API key: {"key", "name", "versions": [oldest, newest], "requestHeaders": [per version], "responseHeaders"}.
 * One line per message, version and sample: {"message", "version", "sample", "bytes" in base64, "value"}: the value is what
 * Kafka's own reader makes of the bytes, with every field, also those that the version lacks. In it byte runs are
 * {"base64": text}, uuids Kafka's text, and integers beyond 2^53 texts that end in n.
 *
 * <p>One line per message, version and field that the version lacks: {"lacking": message, "version", "path", "value",
 * "isDropped"}: what Kafka does with the full sample when this field is set too. The same with the value null for every field
 * that has no null in the version. Paths go through the first elements of lists.
 *
 * <p>Samples: "default" is a fresh object; "full" gives every field of the version a distinct value that is not its default;
 * "null" is the same with null wherever the version allows it; "extreme" has the limits of numbers and long, non-ASCII texts.
 */
public class GoldenMessages {
  private static final long SAFE = (1L << 53) - 1;
  /** Times and producer ids, and what clients may set to anything. Other long values are offsets, sizes and counts. */
  private static final Pattern EXACT =
      Pattern.compile("(?i)timestamp|producerId|logAppendTime|startTime|retentionTime|maxLifetime|periodMs|durationFilter");
  private static final String ODD = "\ufeff\u00e9\ud83d\udc00\u0000".repeat(20);

  private final short version;
  private final String sample;
  private int count;

  private GoldenMessages(short version, String sample) {
    this.version = version;
    this.sample = sample;
  }

  public static void main(String[] args) throws Exception {
    for (ApiMessageType type : ApiMessageType.values()) {
      if (type.requestSchemas() == null || type.requestSchemas().length == 0) continue;
      api(type);
    }
    for (short version = 1; version <= 2; version++) samples("RequestHeader", RequestHeaderData::new, version, (short) 2);
    for (short version = 0; version <= 1; version++) samples("ResponseHeader", ResponseHeaderData::new, version, (short) 1);
  }

  private static void api(ApiMessageType type) throws Exception {
    short oldest = type.lowestSupportedVersion();
    short newest = type.highestSupportedVersion(false);
    if (newest < oldest) return;
    List<Short> requestHeaders = new ArrayList<>();
    List<Short> responseHeaders = new ArrayList<>();
    for (short version = oldest; version <= newest; version++) {
      requestHeaders.add(type.requestHeaderVersion(version));
      responseHeaders.add(type.responseHeaderVersion(version));
    }
    String name = type.newRequest().getClass().getSimpleName().replaceAll("RequestData$", "");
    System.out.println("{\"key\":" + type.apiKey() + ",\"name\":\"" + name + "\",\"versions\":[" + oldest + "," + newest
        + "],\"requestHeaders\":" + requestHeaders + ",\"responseHeaders\":" + responseHeaders + "}");
    for (short version = oldest; version <= newest; version++) {
      samples(name + "Request", type::newRequest, version, newest);
      samples(name + "Response", type::newResponse, version, newest);
    }
  }

  private interface Maker {
    ApiMessage make();
  }

  /** The lines of one message in one version. */
  private static void samples(String name, Maker maker, short version, short newest) throws Exception {
    for (String sample : new String[] {"default", "full", "null", "extreme"}) {
      ApiMessage message = maker.make();
      if (!sample.equals("default")) new GoldenMessages(version, sample).fill(message);
      ObjectSerializationCache cache = new ObjectSerializationCache();
      ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
      message.write(new ByteBufferAccessor(buffer), cache, version);
      ApiMessage back = maker.make();
      back.read(new ByteBufferAccessor(ByteBuffer.wrap(buffer.array())), version);
      StringBuilder value = new StringBuilder();
      json(back, newest, value);
      String bytes = Base64.getEncoder().encodeToString(buffer.array());
      System.out.println("{\"message\":\"" + name + "\",\"version\":" + version + ",\"sample\":\"" + sample
          + "\",\"bytes\":\"" + bytes + "\",\"value\":" + value + "}");
      if (sample.equals("full")) lacking(message, message, name, "", version, newest);
    }
  }

  /** For every field that the version lacks: is it dropped when it is set, or is the message refused? Likewise null. */
  private static void lacking(ApiMessage root, Message struct, String name, String path, short version, short newest) throws Exception {
    Map<String, Type> present = fieldsOf(struct.getClass(), version);
    for (Field member : membersOf(struct.getClass())) {
      String field = plain(member.getName());
      Object before = member.get(struct);
      if (present.containsKey(field)) {
        Object inner = before instanceof Collection<?> values && !values.isEmpty() ? values.iterator().next() : before;
        if (inner instanceof Message message) lacking(root, message, name, path + member.getName() + ".", version, newest);
        boolean isNullable = present.get(field).isNullable() || member.getType().isPrimitive() || before instanceof Message;
        if (!isNullable) lackingLine(root, struct, member, null, name, path, version, newest);
        continue;
      }
      short home = newest;
      while (home >= 0 && !fieldsOf(struct.getClass(), home).containsKey(field)) home--;
      if (home < 0) continue;
      Object value = new GoldenMessages(home, "full").value(member.getGenericType(), member.getName(), before);
      lackingLine(root, struct, member, value, name, path, version, newest);
    }
  }

  private static void lackingLine(
      ApiMessage root, Message struct, Field member, Object value, String name, String path, short version, short newest)
      throws Exception {
    Object before = member.get(struct);
    member.set(struct, value);
    StringBuilder json = new StringBuilder();
    json(value, newest, json);
    System.out.println("{\"lacking\":\"" + name + "\",\"version\":" + version + ",\"path\":\"" + path + member.getName()
        + "\",\"value\":" + json + ",\"isDropped\":" + isWritten(root, version) + "}");
    member.set(struct, before);
  }

  private static boolean isWritten(ApiMessage message, short version) {
    try {
      ObjectSerializationCache cache = new ObjectSerializationCache();
      ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
      message.write(new ByteBufferAccessor(buffer), cache, version);
      return true;
    } catch (UnsupportedVersionException | NullPointerException refusal) {
      return false;
    }
  }

  /** The fields that a generated class has in one version, by name in lower case. */
  private static Map<String, Type> fieldsOf(Class<?> type, int version) throws Exception {
    Map<String, Type> fields = new HashMap<>();
    Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
    if (version >= schemas.length || schemas[version] == null) return fields;
    for (BoundField field : schemas[version].fields()) {
      if (field.def.type instanceof TaggedFields tags) {
        for (org.apache.kafka.common.protocol.types.Field tag : tags.fields().values())
          fields.put(plain(tag.name), tag.type);
      } else {
        fields.put(plain(field.def.name), field.def.type);
      }
    }
    return fields;
  }

  private static String plain(String name) {
    return name.replace("_", "").toLowerCase();
  }

  private static List<Field> membersOf(Class<?> type) {
    List<Field> members = new ArrayList<>();
    for (Field member : type.getDeclaredFields()) {
      String name = member.getName();
      if (Modifier.isStatic(member.getModifiers()) || name.startsWith("_") || name.equals("next") || name.equals("prev")) continue;
      member.setAccessible(true);
      members.add(member);
    }
    return members;
  }

  private Object fill(Object target) throws Exception {
    Map<String, Type> fields = fieldsOf(target.getClass(), version);
    int found = 0;
    for (Field member : membersOf(target.getClass())) {
      Type form = fields.get(plain(member.getName()));
      if (form == null) continue;
      found++;
      Object before = member.get(target);
      if (sample.equals("null") && form.isNullable()) member.set(target, null);
      else if (form == Type.UINT16) member.set(target, sample.equals("extreme") ? 65_535 : 50_000 + ++count);
      else member.set(target, value(member.getGenericType(), member.getName(), before));
      if (sample.equals("full") && Objects.equals(member.get(target), before)) throw new IllegalStateException(member + " has its default");
    }
    if (found != fields.size()) throw new IllegalStateException(target.getClass() + " has not all of " + fields);
    return target;
  }

  private Object value(java.lang.reflect.Type type, String name, Object before) throws Exception {
    boolean extreme = sample.equals("extreme");
    int n = ++count;
    if (type == boolean.class) return !(Boolean) before;
    if (type == byte.class || type == Byte.class) return extreme ? (n % 2 == 0 ? Byte.MIN_VALUE : Byte.MAX_VALUE) : (byte) (20 + n % 100);
    if (type == short.class || type == Short.class) return extreme ? (n % 2 == 0 ? Short.MIN_VALUE : Short.MAX_VALUE) : (short) (200 + n);
    if (type == int.class || type == Integer.class) return extreme ? (n % 2 == 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE) : 100_000 + n;
    if (type == long.class || type == Long.class) {
      if (!extreme) return 1_000_000_000_000L + n;
      boolean exact = EXACT.matcher(name).find();
      return exact ? (n % 2 == 0 ? Long.MIN_VALUE : Long.MAX_VALUE - 1) : n % 2 == 0 ? -SAFE : SAFE;
    }
    if (type == double.class) return extreme ? -Double.MIN_VALUE : n + 0.5;
    if (type == String.class) return extreme ? n + ODD : name + n;
    if (type == Uuid.class) return extreme ? new Uuid(-1, Long.MIN_VALUE) : new Uuid(0x1111_2222_3333_4444L + n, 0x5555_6666_7777_8888L);
    if (type == byte[].class) return bytes(n);
    if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes(n));
    if (type instanceof ParameterizedType list) {
      java.lang.reflect.Type element = list.getActualTypeArguments()[0];
      int size = extreme ? (element instanceof Class<?> plain && isStruct(plain) ? 1 : 130) : 2;
      List<Object> values = new ArrayList<>();
      for (int at = 0; at < size; at++) values.add(value(element, name, null));
      return values;
    }
    Class<?> plain = (Class<?>) type;
    if (BaseRecords.class.isAssignableFrom(plain)) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(n)));
    return Collection.class.isAssignableFrom(plain) ? set(plain) : fill(fresh(plain));
  }

  /** Keyed lists are collections of Kafka's own. */
  private Object set(Class<?> type) throws Exception {
    Object set = fresh(type);
    Class<?> element = (Class<?>) ((ParameterizedType) type.getGenericSuperclass()).getActualTypeArguments()[0];
    Method add = Arrays.stream(type.getMethods()).filter(method -> method.getName().equals("mustAdd")).findFirst().orElseThrow();
    for (int at = 0; at < (sample.equals("extreme") ? 1 : 2); at++) add.invoke(set, fill(fresh(element)));
    return set;
  }

  private byte[] bytes(int n) {
    byte[] bytes = new byte[sample.equals("extreme") ? 300 : 5];
    for (int at = 0; at < bytes.length; at++) bytes[at] = (byte) (n + 7 * at);
    return bytes;
  }

  private static boolean isStruct(Class<?> type) {
    return Message.class.isAssignableFrom(type);
  }

  private static Object fresh(Class<?> type) throws Exception {
    Constructor<?> constructor = type.getDeclaredConstructor();
    return constructor.newInstance();
  }

  private static void json(Object value, short newest, StringBuilder out) throws Exception {
    if (value == null || value instanceof Boolean || value instanceof Double) out.append(value);
    else if (value instanceof Number number) {
      boolean safe = Math.abs(number.longValue()) <= SAFE && number.longValue() != Long.MIN_VALUE;
      out.append(safe ? number.toString() : "\"" + number + "n\"");
    } else if (value instanceof String || value instanceof Uuid) text(value.toString(), out);
    else if (value instanceof byte[] bytes) base64(ByteBuffer.wrap(bytes), out);
    else if (value instanceof ByteBuffer buffer) base64(buffer.duplicate(), out);
    else if (value instanceof MemoryRecords records) base64(records.buffer(), out);
    else if (value instanceof Collection<?> values) {
      String separator = "[";
      for (Object element : values) {
        out.append(separator);
        json(element, newest, out);
        separator = ",";
      }
      out.append(values.isEmpty() ? "[]" : "]");
    } else struct(value, newest, out);
  }

  private static void struct(Object value, short newest, StringBuilder out) throws Exception {
    // Only fields of the versions that are stable.
    Map<String, Type> fields = new TreeMap<>();
    for (int version = 0; version <= newest; version++) fields.putAll(fieldsOf(value.getClass(), version));
    String separator = "";
    out.append("{");
    for (Field member : membersOf(value.getClass())) {
      if (!fields.containsKey(plain(member.getName()))) continue;
      out.append(separator).append("\"").append(member.getName()).append("\":");
      json(member.get(value), newest, out);
      separator = ",";
    }
    out.append("}");
  }

  private static void base64(ByteBuffer buffer, StringBuilder out) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    out.append("{\"base64\":\"").append(Base64.getEncoder().encodeToString(bytes)).append("\"}");
  }

  private static void text(String value, StringBuilder out) {
    out.append("\"");
    for (char unit : value.toCharArray()) {
      if (unit < 0x20 || unit > 0x7e || unit == '"' || unit == '\\') out.append(String.format("\\u%04x", (int) unit));
      else out.append(unit);
    }
    out.append("\"");
  }
}
