// Kafka's own consumers, of both protocols, and its admin client go through the scenarios of groups, and print what they saw, a line of JSON each.
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.*;

/** Arguments: BOOTSTRAP and the time, in milliseconds, that record times are counted from: a minute ago. */
public class JavaGroups {
    static final ObjectMapper JSON = new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);
    static final String PREFIX = "java-groups-";
    static final String[] PROTOCOLS = {"classic", "consumer"};
    static final ExecutorService WORKERS = Executors.newFixedThreadPool(8);
    static final List<Future<String>> LINES = new ArrayList<>();
    static String bootstrap;
    static long base;
    static Admin admin;
    static KafkaProducer<String, String> producer;

    interface Scenario {
        Object run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        base = Long.parseLong(args[1]);
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", "60000", "request.timeout.ms", "30000"));
        producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer());
        for (String assignor : List.of("Range", "RoundRobin", "Sticky", "CooperativeSticky"))
            scenario("share-classic-" + assignor, () -> share("classic", "partition.assignment.strategy=org.apache.kafka.clients.consumer." + assignor + "Assignor"));
        for (String assignor : List.of("uniform", "range"))
            scenario("share-consumer-" + assignor, () -> share("consumer", "group.remote.assignor=" + assignor));
        for (String protocol : PROTOCOLS) {
            scenario("commits-" + protocol, () -> commits(protocol));
            scenario("restarts-" + protocol, () -> restarts(protocol));
            scenario("resets-" + protocol, () -> resets(protocol));
            scenario("patterns-" + protocol, () -> patterns(protocol));
            scenario("static-" + protocol, () -> staticMembers(protocol));
            scenario("admin-" + protocol, () -> administer(protocol));
        }
        scenario("server-patterns", JavaGroups::serverPatterns);
        scenario("refused", JavaGroups::refused);
        scenario("migration", JavaGroups::migration);
        scenario("admin-nobody", JavaGroups::nobody);
        scenario("group-configs", JavaGroups::groupConfigs);
        // Most of a scenario is waiting: they go side by side.
        for (Future<String> line : LINES) System.out.println(line.get());
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    static void scenario(String name, Scenario scenario) {
        LINES.add(WORKERS.submit(() -> {
            long start = System.currentTimeMillis();
            Object answer = outcome(scenario);
            return JSON.writeValueAsString(map("scenario", name, "ms", System.currentTimeMillis() - start, "answer", answer));
        }));
    }

    // Shapes

    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) map.put(String.valueOf(pairs[i]), pairs[i + 1]);
        return map;
    }

    static Object outcome(Scenario scenario) {
        try {
            Object answer = scenario.run();
            return answer == null ? "done" : answer;
        } catch (Throwable error) {
            Throwable cause = error;
            while (cause instanceof ExecutionException && cause.getCause() != null) cause = cause.getCause();
            return map("error", cause.getClass().getSimpleName(), "message", String.valueOf(cause.getMessage()));
        }
    }

    static Object done(Future<?> future) {
        return outcome(() -> {
            future.get();
            return null;
        });
    }

    static Map<String, Object> each(Map<?, ? extends Future<?>> futures) {
        Map<String, Object> all = new TreeMap<>();
        futures.forEach((key, future) -> all.put(String.valueOf(key), done(future)));
        return all;
    }

    static String topic(String name, int partitions) throws Exception {
        String topic = PREFIX + name;
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        for (int i = 0; i < 200; i++) {
            try {
                admin.describeTopics(List.of(topic)).allTopicNames().get();
                return topic;
            } catch (ExecutionException unknownYet) {
                Thread.sleep(10);
            }
        }
        return topic;
    }

    /** So many records in each partition, a millisecond apart. */
    static void fill(String topic, int partitions, int count) throws Exception {
        List<Future<?>> sent = new ArrayList<>();
        for (int at = 0; at < count; at++)
            for (int partition = 0; partition < partitions; partition++) sent.add(producer.send(new ProducerRecord<>(topic, partition, base + at, null, "record " + at)));
        for (Future<?> one : sent) one.get();
    }

    static String shown(OffsetAndMetadata offset) {
        return offset == null ? "none" : offset.offset() + " " + offset.leaderEpoch().orElse(-1) + " '" + offset.metadata() + "'";
    }

    static Map<String, Object> shown(Map<TopicPartition, OffsetAndMetadata> offsets) {
        Map<String, Object> all = new TreeMap<>();
        offsets.forEach((at, offset) -> all.put(at.toString(), shown(offset)));
        return all;
    }

    static List<String> names(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::toString).sorted().toList();
    }

    static Map<String, Object> configs(String protocol, String group, String... more) {
        Map<String, Object> configs = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "group.protocol", protocol, "group.id", group, "enable.auto.commit", "false",
            "auto.offset.reset", "earliest", "fetch.max.wait.ms", "50", "default.api.timeout.ms", "60000", "metadata.max.age.ms", "500", "client.id", "groups"));
        if (protocol.equals("classic")) configs.putAll(Map.of("session.timeout.ms", "10000", "heartbeat.interval.ms", "100"));
        for (String config : more) configs.put(config.split("=", 2)[0], config.split("=", 2)[1]);
        return configs;
    }

    /** A consumer, what it read, and what it was told of its partitions. */
    static class Member implements AutoCloseable, ConsumerRebalanceListener {
        final KafkaConsumer<String, String> consumer;
        final List<String> read = new ArrayList<>();
        final List<String> events = new ArrayList<>();

        Member(String protocol, String group, String... configs) {
            consumer = new KafkaConsumer<>(configs(protocol, group, configs), new StringDeserializer(), new StringDeserializer());
        }

        Member to(String... topics) {
            consumer.subscribe(List.of(topics), this);
            return this;
        }

        void poll() {
            consumer.poll(Duration.ofMillis(20)).forEach(record -> read.add(record.topic() + "-" + record.partition() + "@" + record.offset() + " " + record.value()));
        }

        List<String> owned() {
            return names(consumer.assignment());
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            events.add("revoked " + names(partitions));
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            events.add("assigned " + names(partitions));
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            events.add("lost " + names(partitions));
        }

        @Override
        public void close() {
            consumer.close(CloseOptions.timeout(Duration.ofSeconds(5)));
        }
    }

    /** Polls all until they are where they should be. */
    static void until(BooleanSupplier isDone, Member... members) {
        long deadline = System.currentTimeMillis() + 20_000;
        while (!isDone.getAsBoolean()) {
            for (Member member : members) member.poll();
            if (System.currentTimeMillis() > deadline) {
                StringBuilder all = new StringBuilder("Stuck:");
                for (Member member : members) all.append(' ').append(member.owned()).append(member.read.size());
                throw new IllegalStateException(all.toString());
            }
        }
    }

    /** Everyone has some, and together all. */
    static void share(int partitions, Member... members) {
        until(() -> Arrays.stream(members).noneMatch(member -> member.owned().isEmpty()) && Arrays.stream(members).mapToInt(member -> member.owned().size()).sum() == partitions, members);
        // What is still under way arrives.
        for (int i = 0; i < 3; i++) for (Member member : members) member.poll();
    }

    static List<Object> owned(Member... members) {
        return Arrays.stream(members).map(member -> (Object) member.owned()).toList();
    }

    // Scenarios

    static Object share(String protocol, String assignor) throws Exception {
        String name = "share-" + assignor.replaceAll(".*[.=]", "") + "-" + protocol;
        String group = PREFIX + name;
        String one = topic(name + "-a", 6);
        String two = topic(name + "-b", 3);
        fill(one, 6, 5);
        fill(two, 3, 5);
        Map<String, Object> seen = new LinkedHashMap<>();
        boolean isCounted = assignor.matches(".*(Sticky|uniform).*");
        // Instance ids, so that an assignor that sorts its members gives the same to each.
        Member a = new Member(protocol, group, assignor, "group.instance.id=a").to(one, two);
        share(9, a);
        until(() -> a.read.size() == 45, a);
        seen.put("a", owned(a));
        // A consumer that hears of a topic id before it knows the name first has nothing: that is chance.
        seen.put("events of a", a.events.stream().filter(event -> !event.equals("assigned []")).toList());
        a.consumer.commitSync();
        Member b = new Member(protocol, group, assignor, "group.instance.id=b").to(one, two);
        share(9, a, b);
        seen.put("a and b", isCounted ? sizes(a, b) : owned(a, b));
        Member c = new Member(protocol, group, assignor, "group.instance.id=c").to(one);
        until(() -> c.owned().size() > 0 && a.owned().size() + b.owned().size() + c.owned().size() == 9, a, b, c);
        for (int i = 0; i < 5; i++) for (Member member : List.of(a, b, c)) member.poll();
        seen.put("a, b and c", isCounted ? "all" : owned(a, b, c));
        seen.put("nothing twice", a.read.size() + b.read.size() + c.read.size());
        fill(one, 6, 3);
        fill(two, 3, 3);
        until(() -> a.read.size() + b.read.size() + c.read.size() == 45 + 27, a, b, c);
        Set<String> distinct = new HashSet<>(a.read);
        distinct.addAll(b.read);
        distinct.addAll(c.read);
        seen.put("all once", distinct.size());
        for (Member member : List.of(a, b, c)) member.consumer.commitSync();
        seen.put("state", admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState().toString());
        for (Member member : List.of(a, b, c)) member.close();
        seen.put("committed", shown(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()));
        // Static members of the classic protocol stay until their session ends.
        seen.put("removed", done(admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("a"), new MemberToRemove("b"), new MemberToRemove("c")))).all()));
        seen.put("deleted", each(admin.deleteConsumerGroups(List.of(group)).deletedGroups()));
        return seen;
    }

    static List<Integer> sizes(Member... members) {
        return Arrays.stream(members).map(member -> member.owned().size()).sorted().toList();
    }

    static Object commits(String protocol) throws Exception {
        String topic = topic("commits-" + protocol, 3);
        fill(topic, 3, 10);
        String group = PREFIX + "commits-" + protocol;
        Map<String, Object> seen = new LinkedHashMap<>();
        TopicPartition p0 = new TopicPartition(topic, 0);
        TopicPartition p1 = new TopicPartition(topic, 1);
        TopicPartition p9 = new TopicPartition(topic, 9);
        try (Member a = new Member(protocol, group).to(topic)) {
            until(() -> a.read.size() == 30, a);
            seen.put("nothing yet", shown(a.consumer.committed(Set.of(p0, p1))));
            a.consumer.commitSync();
            seen.put("all", shown(a.consumer.committed(Set.of(p0, p1))));
            a.consumer.commitSync(Map.of(p0, new OffsetAndMetadata(3, Optional.of(0), "at three"), p1, new OffsetAndMetadata(4)));
            seen.put("given", shown(a.consumer.committed(Set.of(p0, p1))));
            AtomicReference<Object> called = new AtomicReference<>();
            a.consumer.commitAsync(Map.of(p0, new OffsetAndMetadata(5, "async")), (offsets, error) -> called.set(error == null ? shown(offsets) : error.getClass().getSimpleName()));
            until(() -> called.get() != null, a);
            seen.put("async", called.get());
            seen.put("too long", outcome(() -> {
                a.consumer.commitSync(Map.of(p0, new OffsetAndMetadata(6, "x".repeat(5000))));
                return null;
            }));
            seen.put("unknown partition", outcome(() -> {
                a.consumer.commitSync(Map.of(p9, new OffsetAndMetadata(6)), Duration.ofSeconds(2));
                return null;
            }));
            seen.put("unknown topic", outcome(() -> {
                a.consumer.commitSync(Map.of(new TopicPartition(PREFIX + "nowhere", 0), new OffsetAndMetadata(6)), Duration.ofSeconds(2));
                return null;
            }));
            seen.put("in the end", shown(a.consumer.committed(Set.of(p0, p1))));
            ConsumerGroupMetadata metadata = a.consumer.groupMetadata();
            seen.put("metadata", map("group", metadata.groupId(), "generation", protocol.equals("classic") ? metadata.generationId() : metadata.generationId() > 0, "instance", metadata.groupInstanceId().orElse("none"), "hasMember", !metadata.memberId().isEmpty()));
            try (KafkaConsumer<String, String> stranger = new KafkaConsumer<>(configs(protocol, group), new StringDeserializer(), new StringDeserializer())) {
                stranger.assign(List.of(p0));
                seen.put("a stranger commits", outcome(() -> {
                    stranger.commitSync(Map.of(p0, new OffsetAndMetadata(9)));
                    return null;
                }));
                seen.put("a stranger asks", shown(stranger.committed(Set.of(p0))));
            }
            seen.put("lag", map("lag", a.consumer.currentLag(p0).isPresent(), "position", a.consumer.position(p0)));
            a.consumer.seek(p0, 2);
            a.read.clear();
            until(() -> a.read.size() == 8, a);
            seen.put("sought", a.read.get(0));
            a.consumer.unsubscribe();
            seen.put("unsubscribed", outcome(() -> {
                a.consumer.commitSync(Map.of(p0, new OffsetAndMetadata(1)));
                return shown(a.consumer.committed(Set.of(p0)));
            }));
        }
        try (KafkaConsumer<String, String> simple = new KafkaConsumer<>(configs(protocol, group + "-simple"), new StringDeserializer(), new StringDeserializer())) {
            simple.assign(List.of(p0, p1));
            simple.commitSync(Map.of(p0, new OffsetAndMetadata(7, "simple")));
            seen.put("simple", shown(simple.committed(Set.of(p0, p1))));
            seen.put("simple position", simple.position(p0) + " " + simple.position(p1));
        }
        return seen;
    }

    static Object restarts(String protocol) throws Exception {
        String topic = topic("restarts-" + protocol, 2);
        fill(topic, 2, 10);
        String group = PREFIX + "restarts-" + protocol;
        List<Object> seen = new ArrayList<>();
        for (int life = 0; life < 3; life++) {
            try (Member a = new Member(protocol, group, "enable.auto.commit=true", "auto.commit.interval.ms=100000", "max.poll.records=7").to(topic)) {
                int expected = life == 1 ? 0 : life == 0 ? 20 : 6;
                if (life == 2) fill(topic, 2, 3);
                until(() -> a.read.size() >= expected && a.owned().size() == 2, a);
                Collections.sort(a.read);
                seen.add(List.copyOf(a.read));
            }
            seen.add(shown(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()));
        }
        // Set back while nobody is there.
        admin.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(11), new TopicPartition(topic, 1), new OffsetAndMetadata(12))).all().get();
        try (Member a = new Member(protocol, group).to(topic)) {
            until(() -> a.read.size() == 3, a);
            Collections.sort(a.read);
            seen.add(List.copyOf(a.read));
        }
        return seen;
    }

    static Object resets(String protocol) throws Exception {
        String topic = topic("resets-" + protocol, 1);
        fill(topic, 1, 10);
        admin.deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(4))).all().get();
        Map<String, Object> seen = new LinkedHashMap<>();
        TopicPartition at = new TopicPartition(topic, 0);
        for (String policy : List.of("earliest", "latest", "none", "by_duration:PT1H")) {
            String group = PREFIX + "resets-" + protocol + "-" + policy.replace(':', '-');
            seen.put(policy, outcome(() -> read(protocol, group, policy, topic, at)));
            admin.alterConsumerGroupOffsets(group, Map.of(at, new OffsetAndMetadata(1))).all().get();
            seen.put(policy + ", below the start", outcome(() -> read(protocol, group, policy, topic, at)));
        }
        return seen;
    }

    /** How many of the ten records. */
    static Object read(String protocol, String group, String policy, String topic, TopicPartition at) {
        try (Member a = new Member(protocol, group, "auto.offset.reset=" + policy).to(topic)) {
            until(() -> a.owned().size() == 1 && a.consumer.position(at) == 10, a);
            a.poll();
            return a.read.size();
        }
    }

    static Object patterns(String protocol) throws Exception {
        topic("pattern-" + protocol + "-a", 2);
        topic("pattern-" + protocol + "-b", 1);
        topic("no-pattern-" + protocol, 1);
        Map<String, Object> seen = new LinkedHashMap<>();
        try (Member a = new Member(protocol, PREFIX + "patterns-" + protocol)) {
            a.consumer.subscribe(Pattern.compile(PREFIX + "pattern-" + protocol + "-.*"), a);
            until(() -> a.owned().size() == 3, a);
            seen.put("matching", a.owned());
            topic("pattern-" + protocol + "-c", 1);
            until(() -> a.owned().size() == 4, a);
            seen.put("and a new one", a.owned());
            admin.deleteTopics(List.of(PREFIX + "pattern-" + protocol + "-b")).all().get();
            until(() -> a.owned().size() == 3, a);
            seen.put("without a deleted one", a.owned());
            a.consumer.unsubscribe();
            a.consumer.subscribe(List.of(PREFIX + "no-pattern-" + protocol), a);
            until(() -> a.owned().size() == 1, a);
            seen.put("by name", a.owned());
        }
        return seen;
    }

    static Object serverPatterns() throws Exception {
        topic("server-pattern-a", 2);
        topic("server-pattern-b", 1);
        topic("server-none", 1);
        Map<String, Object> seen = new LinkedHashMap<>();
        try (Member a = new Member("consumer", PREFIX + "server-patterns")) {
            a.consumer.subscribe(new SubscriptionPattern(PREFIX + "server-p.*-[ab]"), a);
            until(() -> a.owned().size() == 3, a);
            seen.put("matching", a.owned());
            seen.put("described", describe(PREFIX + "server-patterns"));
        }
        for (String pattern : List.of("(", "a(?=b)", "(a)\\1", ""))
            seen.put("pattern " + pattern, outcome(() -> {
                try (Member a = new Member("consumer", PREFIX + "server-patterns-bad")) {
                    a.consumer.subscribe(new SubscriptionPattern(pattern), a);
                    for (int i = 0; i < 30; i++) a.poll();
                    return a.owned();
                }
            }));
        seen.put("classic", outcome(() -> {
            try (Member a = new Member("classic", PREFIX + "server-patterns-classic")) {
                a.consumer.subscribe(new SubscriptionPattern("a"), a);
                return null;
            }
        }));
        return seen;
    }

    static Object staticMembers(String protocol) throws Exception {
        String topic = topic("static-" + protocol, 4);
        fill(topic, 4, 2);
        String group = PREFIX + "static-" + protocol;
        Map<String, Object> seen = new LinkedHashMap<>();
        Member a = new Member(protocol, group, "group.instance.id=a").to(topic);
        Member b = new Member(protocol, group, "group.instance.id=b").to(topic);
        share(4, a, b);
        seen.put("both", protocol.equals("classic") ? owned(a, b) : sizes(a, b));
        a.events.clear();
        List<String> before = b.owned();
        b.close();
        seen.put("while b is away", members(group));
        Member b2 = new Member(protocol, group, "group.instance.id=b").to(topic);
        share(4, a, b2);
        seen.put("b has what it had", b2.owned().equals(before));
        seen.put("a noticed", List.copyOf(a.events));
        seen.put("a second b", outcome(() -> {
            try (Member b3 = new Member(protocol, group, "group.instance.id=b").to(topic)) {
                for (int i = 0; i < 30 && b3.owned().isEmpty(); i++) b3.poll();
                return b3.owned();
            }
        }));
        seen.put("the first b", outcome(() -> {
            for (int i = 0; i < 30; i++) b2.poll();
            b2.consumer.commitSync();
            return null;
        }));
        seen.put("described", describe(group));
        seen.put("b is removed", done(admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("b"), new MemberToRemove("nobody")))).all()));
        until(() -> a.owned().size() == 4, a);
        seen.put("a alone", a.owned());
        b2.close();
        seen.put("all are removed", done(admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions()).all()));
        seen.put("nobody", members(group));
        outcome(() -> {
            a.close();
            return null;
        });
        return seen;
    }

    static Object members(String group) throws Exception {
        return admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().stream().map(member -> member.groupInstanceId().orElse("none") + " " + member.assignment().topicPartitions().size()).sorted().toList();
    }

    static Object describe(String group) {
        return outcome(() -> {
            ConsumerGroupDescription description = admin.describeConsumerGroups(List.of(group), new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)).all().get().get(group);
            return map("group", description.groupId(), "isSimple", description.isSimpleConsumerGroup(), "state", description.groupState().toString(), "type", description.type().toString(),
                "assignor", description.partitionAssignor(), "coordinator", description.coordinator().id(), "operations", new TreeSet<>(description.authorizedOperations().stream().map(AclOperation::name).toList()),
                "epochs", description.groupEpoch().isPresent() + " " + description.targetAssignmentEpoch().isPresent(),
                "members", description.members().stream().map(member -> map("instance", member.groupInstanceId().orElse("none"), "rack", member.rackId().orElse("none"), "client", member.clientId(), "host", member.host(),
                    "assigned", names(member.assignment().topicPartitions()).size(), "target", member.targetAssignment().map(target -> target.topicPartitions().size()).orElse(-1),
                    "hasEpoch", member.memberEpoch().isPresent(), "upgraded", String.valueOf(member.upgraded().orElse(null)), "hasId", !member.consumerId().isEmpty()))
                    .sorted(Comparator.comparing(Object::toString)).toList());
        });
    }

    static Object listed(String start, ListGroupsOptions options) {
        return outcome(() -> admin.listGroups(options).all().get().stream().filter(group -> group.groupId().startsWith(start))
            .map(group -> group.groupId() + " " + group.type().map(Object::toString).orElse("none") + " " + group.protocol() + " " + group.groupState().map(Object::toString).orElse("none") + " " + group.isSimpleConsumerGroup()).sorted().toList());
    }

    @SuppressWarnings("removal")
    static Object administer(String protocol) throws Exception {
        String topic = topic("admin-" + protocol, 3);
        fill(topic, 3, 5);
        String start = PREFIX + "admin-" + protocol;
        String group = start + "-a";
        String other = start + "-b";
        TopicPartition p0 = new TopicPartition(topic, 0);
        TopicPartition p1 = new TopicPartition(topic, 1);
        TopicPartition p9 = new TopicPartition(topic, 9);
        TopicPartition nowhere = new TopicPartition(PREFIX + "nowhere", 0);
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("set before there is a group", each(Map.of("all", admin.alterConsumerGroupOffsets(other, Map.of(p0, new OffsetAndMetadata(2, "set"), p1, new OffsetAndMetadata(3))).all())));
        try (Member a = new Member(protocol, group).to(topic)) {
            until(() -> a.read.size() == 15, a);
            a.consumer.commitSync();
            seen.put("listed", listed(start, new ListGroupsOptions()));
            seen.put("consumers", listed(start, ListGroupsOptions.forConsumerGroups()));
            for (GroupState state : List.of(GroupState.STABLE, GroupState.EMPTY, GroupState.DEAD, GroupState.ASSIGNING))
                seen.put("listed " + state, listed(start, new ListGroupsOptions().inGroupStates(Set.of(state))));
            for (GroupType type : List.of(GroupType.CLASSIC, GroupType.CONSUMER, GroupType.SHARE))
                seen.put("listed " + type, listed(start, new ListGroupsOptions().withTypes(Set.of(type))));
            seen.put("listed as before", admin.listConsumerGroups().all().get().stream().filter(one -> one.groupId().startsWith(start)).map(one -> one.groupId() + " " + one.groupState().map(Object::toString).orElse("none") + " " + one.type().map(Object::toString).orElse("none") + " " + one.isSimpleConsumerGroup()).sorted().toList());
            seen.put("described", describe(group));
            seen.put("described, empty", describe(other));
            seen.put("as classic", outcome(() -> {
                ClassicGroupDescription description = admin.describeClassicGroups(List.of(group)).all().get().get(group);
                return map("protocol", description.protocol(), "data", description.protocolData(), "state", description.state().toString(), "members", description.members().size(), "isSimple", description.isSimpleConsumerGroup());
            }));
            seen.put("set while a member is there", done(admin.alterConsumerGroupOffsets(group, Map.of(p0, new OffsetAndMetadata(1))).all()));
            seen.put("forgotten while subscribed", done(admin.deleteConsumerGroupOffsets(group, Set.of(p0)).all()));
            seen.put("deleted while a member is there", each(admin.deleteConsumerGroups(List.of(group, other, start + "-nobody")).deletedGroups()));
            seen.put("a member of it is removed", done(admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("nobody")))).all()));
        }
        admin.alterConsumerGroupOffsets(other, Map.of(p0, new OffsetAndMetadata(2, "set"))).all().get();
        Map<String, ListConsumerGroupOffsetsSpec> specs = Map.of(group, new ListConsumerGroupOffsetsSpec(), other, new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(p0, p1, p9)), start + "-nobody", new ListConsumerGroupOffsetsSpec());
        for (boolean isStable : List.of(false, true)) {
            ListConsumerGroupOffsetsResult offsets = admin.listConsumerGroupOffsets(specs, new ListConsumerGroupOffsetsOptions().requireStable(isStable));
            Map<String, Object> all = new TreeMap<>();
            for (String name : specs.keySet()) all.put(name, outcome(() -> shown(offsets.partitionsToOffsetAndMetadata(name).get())));
            seen.put("offsets, stable " + isStable, all);
        }
        AlterConsumerGroupOffsetsResult altered = admin.alterConsumerGroupOffsets(group, Map.of(p0, new OffsetAndMetadata(4, Optional.of(0), "meta"), p9, new OffsetAndMetadata(1), nowhere, new OffsetAndMetadata(1)));
        seen.put("set", map("p0", done(altered.partitionResult(p0)), "p9", done(altered.partitionResult(p9)), "nowhere", done(altered.partitionResult(nowhere)), "all", done(altered.all())));
        DeleteConsumerGroupOffsetsResult forgotten = admin.deleteConsumerGroupOffsets(group, Set.of(p1, p9, nowhere));
        seen.put("forgotten", map("p1", done(forgotten.partitionResult(p1)), "p9", done(forgotten.partitionResult(p9)), "nowhere", done(forgotten.partitionResult(nowhere)), "all", done(forgotten.all())));
        seen.put("offsets in the end", shown(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()));
        seen.put("deleted", each(admin.deleteConsumerGroups(List.of(group, other)).deletedGroups()));
        seen.put("listed in the end", listed(start, new ListGroupsOptions()));
        return seen;
    }

    static Object nobody() {
        String group = PREFIX + "nobody";
        TopicPartition at = new TopicPartition(PREFIX + "nowhere", 0);
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("described", describe(group));
        seen.put("as classic", outcome(() -> admin.describeClassicGroups(List.of(group)).all().get().get(group).toString()));
        seen.put("offsets", outcome(() -> shown(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get())));
        seen.put("set of an unknown topic", done(admin.alterConsumerGroupOffsets(group, Map.of(at, new OffsetAndMetadata(1))).all()));
        seen.put("forgotten", done(admin.deleteConsumerGroupOffsets(group, Set.of(at)).all()));
        seen.put("deleted", each(admin.deleteConsumerGroups(List.of(group)).deletedGroups()));
        seen.put("removed", done(admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("nobody")))).all()));
        seen.put("no name", outcome(() -> shown(admin.listConsumerGroupOffsets("").partitionsToOffsetAndMetadata().get())));
        return seen;
    }

    static Object refused() throws Exception {
        String topic = topic("refused", 1);
        Map<String, Object> seen = new LinkedHashMap<>();
        for (String[] configs : new String[][] {{"classic", "session.timeout.ms=50", "heartbeat.interval.ms=10"}, {"classic", "session.timeout.ms=1900000"}, {"consumer", "group.remote.assignor=nope"}})
            seen.put(String.join(" ", configs), outcome(() -> {
                try (Member a = new Member(configs[0], PREFIX + "refused", Arrays.copyOfRange(configs, 1, configs.length)).to(topic)) {
                    for (int i = 0; i < 50; i++) a.poll();
                    return a.owned();
                }
            }));
        // Consumers that can't agree on an assignor.
        String group = PREFIX + "disagree";
        try (Member a = new Member("classic", group, "partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor").to(topic)) {
            until(() -> a.owned().size() == 1, a);
            seen.put("other assignors", outcome(() -> {
                try (Member b = new Member("classic", group, "partition.assignment.strategy=org.apache.kafka.clients.consumer.StickyAssignor").to(topic)) {
                    for (int i = 0; i < 50; i++) b.poll();
                    return b.owned();
                }
            }));
        }
        seen.put("a topic that is not there", outcome(() -> {
            try (Member a = new Member("consumer", PREFIX + "waits", "allow.auto.create.topics=false").to(PREFIX + "comes-later")) {
                for (int i = 0; i < 10; i++) a.poll();
                List<String> before = a.owned();
                topic("comes-later", 1);
                until(() -> a.owned().size() == 1, a);
                return List.of(before, a.owned());
            }
        }));
        return seen;
    }

    static Object migration() throws Exception {
        String topic = topic("migration", 4);
        fill(topic, 4, 3);
        String group = PREFIX + "migration";
        Map<String, Object> seen = new LinkedHashMap<>();
        Member a = new Member("classic", group).to(topic);
        until(() -> a.read.size() == 12, a);
        a.consumer.commitSync();
        Member b = new Member("consumer", group, "group.remote.assignor=uniform").to(topic);
        share(4, a, b);
        seen.put("upgraded", sizes(a, b));
        seen.put("described", describe(group));
        seen.put("nothing twice", b.read.size());
        fill(topic, 4, 2);
        until(() -> a.read.size() + b.read.size() == 20, a, b);
        a.consumer.commitSync();
        b.consumer.commitSync();
        seen.put("committed", shown(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()));
        b.close();
        until(() -> a.owned().size() == 4, a);
        seen.put("downgraded", describe(group));
        Member c = new Member("consumer", group).to(topic);
        share(4, a, c);
        a.close();
        until(() -> c.owned().size() == 4, c);
        seen.put("only new ones", describe(group));
        c.close();
        try (Member d = new Member("classic", group).to(topic)) {
            until(() -> d.owned().size() == 4, d);
            seen.put("classic again", describe(group));
        }
        return seen;
    }

    static Object groupConfigs() throws Exception {
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, PREFIX + "configured");
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("defaults", configsOf(group));
        String[][] changes = {{"consumer.session.timeout.ms", "50000"}, {"consumer.heartbeat.interval.ms", "6000"}, {"consumer.session.timeout.ms", "70000"}, {"consumer.session.timeout.ms", "soon"}, {"no.such.setting", "1"}, {"share.auto.offset.reset", "earliest"}, {"streams.num.standby.replicas", "1"}};
        for (String[] change : changes)
            seen.put(String.join("=", change), done(admin.incrementalAlterConfigs(Map.of(group, List.of(new AlterConfigOp(new ConfigEntry(change[0], change[1]), AlterConfigOp.OpType.SET)))).all()));
        for (int i = 0; i < 100 && !configsOf(group).toString().contains("streams.num.standby.replicas=1 DYNAMIC"); i++) Thread.sleep(10);
        seen.put("set", configsOf(group));
        seen.put("with settings", admin.listConfigResources(Set.of(ConfigResource.Type.GROUP), new ListConfigResourcesOptions()).all().get().stream().map(ConfigResource::name).filter(name -> name.startsWith(PREFIX)).toList());
        seen.put("removed", done(admin.incrementalAlterConfigs(Map.of(group, List.of(new AlterConfigOp(new ConfigEntry("consumer.session.timeout.ms", null), AlterConfigOp.OpType.DELETE)))).all()));
        return seen;
    }

    static Object configsOf(ConfigResource resource) {
        return outcome(() -> admin.describeConfigs(List.of(resource), new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true)).all().get().get(resource).entries().stream()
            .map(entry -> entry.name() + "=" + entry.value() + " " + entry.source() + " " + entry.type() + " " + entry.isReadOnly() + entry.isSensitive() + " " + (entry.documentation() != null) + " " + entry.synonyms().stream().map(synonym -> synonym.name() + "=" + synonym.value() + " " + synonym.source()).toList()).sorted().toList());
    }
}
