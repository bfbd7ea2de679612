import com.dynatrace.hash4j.hashing.Hashing;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerProtocolAssignment;
import org.apache.kafka.common.message.ConsumerProtocolSubscription;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.coordinator.common.runtime.CoordinatorMetadataImage;
import org.apache.kafka.coordinator.group.Utils;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * GoldenGroups: what the pure parts of Kafka's group coordinator make of seeded input, as JSON lines on standard output.
 * The output is the same on every run.
 *
 * <p>Assignors, one line per group: {"assignor", "type", "topics": [id], "steps"}. A step is a rebalance; its current
 * assignment is the target of the step before: {"counts": [partitions per topic], "members": [[id, instance id, [topic],
 * whose target it starts with]], "owners": [per topic: [member of each partition, -1 for none]]}; topics and members are
 * indexes. Where Kafka leaves an order to a hash table, the lists have the order that it took.
 *
 * <p>Hashes: {"length", "xxh3"} of the bytes b[i] = i * 31 + i / 7; {"topic", "id", "racks": [per partition: [rack]],
 * "hash"}; {"group": {topic: hash}, "hash"}. 64-bit integers are texts.
 *
 * <p>Consumer protocol: {"message", "version", "value", "bytes" in base64}.
 *
 * <p>Patterns: {"pattern", "matches": [name]}, or null for matches where Kafka refuses the pattern; the names that were
 * tried are in {"names"}.
 */
public class GoldenGroups {
    private static final StringBuilder OUT = new StringBuilder();

    /** A member of a group that is simulated. */
    private record Member(String id, String instanceId, List<Integer> topics, String from) { }

    /** A group that is simulated: what stays and what steps change. */
    private static final class Group {
        final Random random;
        final boolean homogeneous;
        final List<Uuid> topics = new ArrayList<>();
        final List<Integer> counts = new ArrayList<>();
        List<Member> members = new ArrayList<>();
        Map<String, Map<Uuid, Set<Integer>>> targets = new HashMap<>();
        List<Integer> subscription;
        int nextMember = 0;

        Group(Random random, boolean homogeneous) {
            this.random = random;
            this.homogeneous = homogeneous;
            int topicCount = 1 + random.nextInt(7);
            for (int i = 0; i < topicCount; i++) {
                topics.add(new Uuid(random.nextLong(), random.nextLong()));
                // Equal counts let the order of topics fall to their ids.
                counts.add(random.nextInt(3) == 0 ? 6 : random.nextInt(20));
            }
            subscription = someTopics();
            int memberCount = 1 + random.nextInt(8);
            for (int i = 0; i < memberCount; i++) join();
        }

        /** In the order in which a hash set of their ids is iterated, as the assignor will. */
        List<Integer> someTopics() {
            List<Uuid> chosen = new ArrayList<>();
            for (Uuid id : topics) if (random.nextInt(4) > 0) chosen.add(id);
            if (chosen.isEmpty() && random.nextInt(4) > 0) chosen.add(topics.get(0));
            List<Integer> order = new ArrayList<>();
            for (Uuid id : new HashSet<>(chosen)) order.add(topics.indexOf(id));
            return order;
        }

        void join() {
            String instanceId = random.nextInt(3) == 0 ? "i" + random.nextInt(1000) + "-" + nextMember : null;
            String id = Integer.toString(random.nextInt(46656), 36) + "-" + nextMember++;
            members.add(random.nextInt(members.size() + 1), new Member(id, instanceId, homogeneous ? subscription : someTopics(), id));
        }

        /** Some members leave, join, come back as static members, change what they want; topics grow. */
        void change() {
            List<Member> next = new ArrayList<>();
            if (homogeneous && random.nextInt(5) == 0) subscription = someTopics();
            boolean leaving = random.nextInt(2) == 0;
            for (Member member : members) {
                if (leaving && random.nextInt(3) == 0) continue;
                List<Integer> wanted = homogeneous ? subscription : random.nextInt(6) == 0 ? someTopics() : member.topics;
                boolean replaced = member.instanceId != null && random.nextInt(4) == 0;
                String id = replaced ? "r-" + nextMember++ : member.id;
                next.add(new Member(id, member.instanceId, wanted, member.id));
            }
            members = next;
            int joining = random.nextInt(4);
            if (members.isEmpty()) joining++;
            for (int i = 0; i < joining; i++) join();
            if (random.nextInt(3) == 0) {
                int grown = random.nextInt(counts.size());
                counts.set(grown, counts.get(grown) + 1 + random.nextInt(5));
            }
        }

        void assign(ConsumerGroupPartitionAssignor assignor, SubscriptionType type) {
            Map<String, MemberSubscriptionAndAssignmentImpl> specs = new LinkedHashMap<>();
            Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
            for (Member member : members) {
                Set<Uuid> wanted = new HashSet<>();
                for (int topic : member.topics) wanted.add(topics.get(topic));
                Map<Uuid, Set<Integer>> had = targets.getOrDefault(member.from, Map.of());
                // Subscribed topics in their order, then what is no longer wanted.
                Map<Uuid, Set<Integer>> current = new LinkedHashMap<>();
                for (int topic : member.topics)
                    if (had.containsKey(topics.get(topic))) current.put(topics.get(topic), new TreeSet<>(had.get(topics.get(topic))));
                had.forEach((topic, partitions) -> current.putIfAbsent(topic, new TreeSet<>(partitions)));
                current.forEach((topic, partitions) -> {
                    for (int partition : partitions) inverted.computeIfAbsent(topic, key -> new HashMap<>()).put(partition, member.id);
                });
                specs.put(member.id, new MemberSubscriptionAndAssignmentImpl(
                    Optional.of("rack-" + member.id.length()), Optional.ofNullable(member.instanceId), wanted, new Assignment(current)));
            }
            SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
                @Override
                public int numPartitions(Uuid topicId) {
                    return counts.get(topics.indexOf(topicId));
                }

                @Override
                public Set<String> racksForPartition(Uuid topicId, int partition) {
                    return Set.of("rack-" + partition % 3);
                }
            };
            var result = assignor.assign(new GroupSpecImpl(Collections.unmodifiableMap(specs), type, inverted), describer);
            targets = new HashMap<>();
            result.members().forEach((member, assignment) -> targets.put(member, assignment.partitions()));
        }

        String step() {
            List<Object> owners = new ArrayList<>();
            for (int topic = 0; topic < topics.size(); topic++) {
                Integer[] ofTopic = new Integer[counts.get(topic)];
                Arrays.fill(ofTopic, -1);
                for (int member = 0; member < members.size(); member++)
                    for (int partition : targets.getOrDefault(members.get(member).id, Map.of()).getOrDefault(topics.get(topic), Set.of()))
                        ofTopic[partition] = member;
                owners.add(Arrays.asList(ofTopic));
            }
            List<Object> who = new ArrayList<>();
            for (Member member : members) who.add(Arrays.asList(member.id, member.instanceId, member.topics, member.from));
            return json(ordered("counts", counts, "members", who, "owners", owners));
        }
    }

    private static void assignors() {
        for (int seed = 0; seed < 240; seed++) {
            boolean homogeneous = seed % 2 == 0;
            boolean uniform = seed % 6 != 0 && seed % 6 != 1;
            Group group = new Group(new Random(seed), homogeneous);
            ConsumerGroupPartitionAssignor assignor = uniform ? new UniformAssignor() : new RangeAssignor();
            SubscriptionType type = homogeneous ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
            List<String> ids = new ArrayList<>();
            for (Uuid id : group.topics) ids.add(id.toString());
            List<String> steps = new ArrayList<>();
            for (int step = 0; step < 6; step++) {
                if (step > 0) group.change();
                group.assign(assignor, type);
                steps.add(group.step());
            }
            OUT.append("{\"assignor\":").append(json(assignor.name())).append(",\"type\":").append(json(type.toString().toLowerCase()))
                .append(",\"topics\":").append(json(ids)).append(",\"steps\":[").append(String.join(",", steps)).append("]}\n");
        }
    }

    private static void hashes() {
        for (int length : lengths()) {
            byte[] bytes = new byte[length];
            for (int i = 0; i < length; i++) bytes[i] = (byte) (i * 31 + i / 7);
            line("length", length, "xxh3", Long.toString(Hashing.xxh3_64().hashBytesToLong(bytes)));
        }
        Random random = new Random(7);
        String[] racks = {"a", "eu-west-1a", "eu-west-1b", "", "Zürich", "\ud83d\ude80", "rack,with,commas"};
        Map<String, Long> known = new TreeMap<>();
        for (int number = 0; number < 120; number++) {
            String name = (number % 3 == 0 ? "Orders" : "orders.v") + Integer.toString(random.nextInt(1 << random.nextInt(28)), 36) + "x".repeat(random.nextInt(9));
            Uuid id = new Uuid(random.nextLong(), random.nextLong());
            List<List<String>> partitions = new ArrayList<>();
            int count = number < 90 ? number : 100 + random.nextInt(400);
            for (int partition = 0; partition < count; partition++) {
                List<String> ofPartition = new ArrayList<>();
                for (int replica = number % 4; replica > 0; replica--) ofPartition.add(racks[random.nextInt(racks.length)]);
                partitions.add(ofPartition);
            }
            long hash = Utils.computeTopicHash(name, image(name, id, partitions));
            line("topic", name, "id", id.toString(), "racks", partitions, "hash", Long.toString(hash));
            known.put(name, hash);
            Map<String, Object> group = new LinkedHashMap<>();
            Map<String, Long> some = new HashMap<>();
            for (var entry : known.entrySet()) if (number < 10 || random.nextInt(3) == 0) some.put(entry.getKey(), entry.getValue());
            some.forEach((topic, value) -> group.put(topic, Long.toString(value)));
            line("group", group, "hash", Long.toString(Utils.computeGroupHash(some)));
        }
        line("group", Map.of(), "hash", Long.toString(Utils.computeGroupHash(Map.of())));
    }

    private static List<Integer> lengths() {
        List<Integer> lengths = new ArrayList<>();
        for (int length = 0; length <= 260; length++) lengths.add(length);
        for (int blocks = 1; blocks <= 3; blocks++)
            for (int around = -65; around <= 65; around += 13) lengths.add(blocks * 1024 + around);
        lengths.addAll(List.of(1023, 1024, 1025, 2047, 2048, 2049, 10_000));
        return lengths;
    }

    /** An image with one topic. */
    private static CoordinatorMetadataImage image(String name, Uuid id, List<List<String>> racks) {
        var topic = new CoordinatorMetadataImage.TopicMetadata() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public Uuid id() {
                return id;
            }

            @Override
            public int partitionCount() {
                return racks.size();
            }

            @Override
            public List<String> partitionRacks(int partition) {
                return new ArrayList<>(racks.get(partition));
            }
        };
        return (CoordinatorMetadataImage) Proxy.newProxyInstance(GoldenGroups.class.getClassLoader(),
            new Class<?>[] {CoordinatorMetadataImage.class}, (proxy, method, arguments) -> Optional.of(topic));
    }

    private static void consumerProtocol() {
        Random random = new Random(11);
        for (int number = 0; number < 24; number++) {
            short version = (short) (number % 4);
            List<String> topics = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) topics.add("topic-" + random.nextInt(100));
            byte[] userData = random.nextInt(3) == 0 ? null : new byte[random.nextInt(5)];
            if (userData != null) random.nextBytes(userData);
            Map<String, List<Integer>> owned = new TreeMap<>();
            for (int i = random.nextInt(3); i > 0; i--) owned.put("owned-" + i, List.of(random.nextInt(9), 9 + random.nextInt(9)));
            String rack = random.nextBoolean() ? null : "rack-" + number;
            int generation = random.nextInt(3) - 1;
            var subscription = new ConsumerProtocolSubscription().setTopics(topics)
                .setUserData(userData == null ? null : ByteBuffer.wrap(userData)).setGenerationId(generation).setRackId(rack);
            var assignment = new ConsumerProtocolAssignment().setUserData(userData == null ? null : ByteBuffer.wrap(userData));
            owned.forEach((topic, partitions) -> {
                subscription.ownedPartitions().add(new ConsumerProtocolSubscription.TopicPartition().setTopic(topic).setPartitions(partitions));
                assignment.assignedPartitions().add(new ConsumerProtocolAssignment.TopicPartition().setTopic(topic).setPartitions(partitions));
            });
            Object text = userData == null ? null : Base64.getEncoder().encodeToString(userData);
            line("message", "subscription", "version", (int) version, "value",
                ordered("topics", topics, "userData", text, "owned", owned, "generationId", generation, "rackId", rack),
                "bytes", base64(MessageUtil.toVersionPrefixedByteBuffer(version, subscription)));
            line("message", "assignment", "version", (int) version, "value", ordered("assigned", owned, "userData", text),
                "bytes", base64(ConsumerProtocol.serializeAssignment(assignment, version)));
        }
    }

    private static final String[] NAMES = {
        "orders", "Orders", "orders.eu", "orders-eu", "orders_eu", "orders.eu.1", "orders.eu.12", "payments", "payments.1",
        "a", "aa", "aaa", "ab", "b", "abc", "foo", "foobar", "barfoo", "__consumer_offsets", "__transaction_state", "_x",
        "x-1", "x-22", "x-333", "2024-01-01", "UPPER", "lower", ".", "..", "a.b", "a+b", "k"};

    private static final String[] PATTERNS = {
        "orders", "orders.*", "orders\\..*", "^orders$", "^orders", "orders$", ".*", ".+", "", "a|aa", "a|ab|abc", "(?i)orders.*",
        "foo", "foo|foobar", "foo.*?", "[a-z]+", "[^a-z]+", "[[:alpha:]]+", "[[:^alpha:]]+", "\\w+", "\\W", "\\d{4}-\\d\\d-\\d\\d",
        "x-\\d{1,2}", "x-\\d{2,}", "x-\\d{2}", "a{2,3}", "a{0}", "(a)(b)?", "(?:a|b)+", "(?P<name>a+)", "(?<name>a+)", "\\Qa.b\\E", "\\Qa+b",
        "a\\.b", "a.b", "\\p{Lu}+", "\\pL+", "\\PL", "\\x61", "\\x{61}", "\\141", "(?s).", "(?U)a+", "(?m)^a$", "\\Aa\\z", "a\\b", "\\Ba",
        "[a\\-z]+", "[]a]", "[^]a]", "[a-]", "__.*", "(orders|payments)\\.[0-9]+", "(?i:upper)", "a**", "a++", "a*?", "a??", "a{,2}", "a{",
        "*a", "+", "?", "(", ")", "(a", "a)", "[", "[a", "[z-a]", "[[:foo:]]", "\\", "\\1", "\\8", "(?=a)", "(?!a)", "(?<=a)b", "(?>a)", "(?P<n>a)(?P<n>b)",
        "(?P=n)", "(?P<>a)", "(?z)a", "a{1001}", "a{1000}", "a{2,1}", "a{100000000000}", "\\p{Foo}", "\\pZ", "\\u0061", "\\cA", "\\z", "\\Z", "\\G",
        "\\h", "\\R", "\\C", "\\e", "\\a", "\\Q", "\\E", "x{2}{3}", "a|*", "|", "||a", "()", "(|a)", "\\K", "\u212a", "(?i)\u212a", "[\u0000-\uffff]+"};

    private static void patterns() {
        line("names", Arrays.asList(NAMES));
        for (String pattern : PATTERNS) {
            List<String> matches = null;
            try {
                Pattern compiled = Pattern.compile(pattern);
                matches = new ArrayList<>();
                for (String name : NAMES) if (compiled.matcher(name).matches()) matches.add(name);
            } catch (PatternSyntaxException refused) {
                // Then there are no matches.
            }
            line("pattern", pattern, "matches", matches);
        }
    }

    private static String base64(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static void line(Object... pairs) {
        OUT.append(json(ordered(pairs))).append('\n');
    }

    private static Map<String, Object> ordered(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put((String) pairs[i], pairs[i + 1]);
        return map;
    }

    private static String json(Object value) {
        List<String> parts = new ArrayList<>();
        if (value instanceof Map<?, ?> map) {
            map.forEach((name, item) -> parts.add(json(name) + ":" + json(item)));
            return "{" + String.join(",", parts) + "}";
        }
        if (value instanceof List<?> list) {
            for (Object item : list) parts.add(json(item));
            return "[" + String.join(",", parts) + "]";
        }
        if (!(value instanceof String text)) return String.valueOf(value);
        StringBuilder quoted = new StringBuilder("\"");
        for (char unit : text.toCharArray()) {
            if (unit < ' ' || unit > '~' || unit == '"' || unit == '\\') quoted.append(String.format("\\u%04x", (int) unit));
            else quoted.append(unit);
        }
        return quoted.append('"').toString();
    }

    public static void main(String[] arguments) {
        assignors();
        hashes();
        consumerProtocol();
        patterns();
        System.out.print(OUT);
    }
}
