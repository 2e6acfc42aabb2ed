package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class QmpServerTest {
    @TempDir
    Path folder;

    private RunningServer server;

    @BeforeEach
    void start() {
        server = RunningServer.on(folder);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void shouldGreetAsQemuDoes() {
        try (RawClient client = server.connect()) {
            assertEquals(
                    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 3, \"minor\": 1, \"major\": 11},"
                            + " \"package\": \"mhsld-test\"}, \"capabilities\": []}}",
                    client.receiveLine());
        }
    }

    @Test
    void shouldAnswerNothingElseBeforeNegotiation() {
        try (RawClient client = server.connect()) {
            client.receive();

            String expecting = "CommandNotFound: Expecting capabilities negotiation with 'qmp_capabilities'";
            assertEquals(expecting, client.refusal("{'execute':'query-version'}"));
            assertEquals(expecting, client.refusal("{'execute':'no-such-command'}"));
            assertEquals(Map.of(), client.ask("{'execute':'qmp_capabilities'}"));
            assertEquals(
                    "CommandNotFound: Capabilities negotiation is already complete, command ignored",
                    client.refusal("{'execute':'qmp_capabilities'}"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'enable':['oob']}       | GenericError: Capability 'oob' is not available",
                "{'enable':['bogus']}     | GenericError: Parameter 'enable[0]' does not accept value 'bogus'",
                "{'enable':[5]}           | GenericError: Invalid parameter type for 'enable[0]', expected: string",
                "{'enable':5}             | GenericError: Invalid parameter type for 'enable', expected: array",
                "{'disable':[]}           | GenericError: Parameter 'disable' is unexpected"
            },
            quoteCharacter = '"')
    void shouldStayUnnegotiatedAfterARefusedNegotiation(String arguments, String refusal) {
        try (RawClient client = server.connect()) {
            client.receive();

            assertEquals(refusal, client.refusal("{'execute':'qmp_capabilities','arguments':" + arguments + "}"));
            assertTrue(client.refusal("{'execute':'query-name'}").startsWith("CommandNotFound: Expecting"));
            assertEquals(Map.of(), client.ask("{'execute':'qmp_capabilities','arguments':{'enable':[]}}"));
            assertEquals(Map.of("name", "cxl-mem0"), client.ask("{'execute':'query-name'}"));
        }
    }

    @Test
    void shouldAnswerTheQueriesThatEveryServerHas() {
        try (RawClient client = server.negotiated()) {
            assertEquals(
                    Map.of("qemu", Map.of("micro", 3L, "minor", 1L, "major", 11L), "package", "mhsld-test"),
                    client.ask("{'execute':'query-version'}"));
            assertEquals(Map.of("running", true, "status", "running"), client.ask("{'execute':'query-status'}"));
            assertEquals(Map.of("name", "cxl-mem0"), client.ask("{'execute':'query-name','arguments':{}}"));
            List<?> commands = (List<?>) client.ask("{'execute':'query-commands'}");
            assertTrue(commands.containsAll(List.of(
                    Map.of("name", "qmp_capabilities"),
                    Map.of("name", "quit"),
                    Map.of("name", "system_reset"),
                    Map.of("name", "add"))));
        }
    }

    @Test
    void shouldDescribeItsCommandsInASchemaWithoutLooseEnds() {
        try (RawClient client = server.negotiated()) {
            List<?> entries = (List<?>) client.ask("{'execute':'query-qmp-schema'}");
            Map<Object, Map<?, ?>> byName = entries.stream()
                    .map(entry -> (Map<?, ?>) entry)
                    .collect(Collectors.toMap(entry -> entry.get("name"), entry -> entry));

            Map<?, ?> add = byName.get("add");
            assertEquals("command", add.get("meta-type"));
            assertEquals(List.of("unstable"), add.get("features"));
            List<?> members = (List<?>) byName.get(add.get("arg-type")).get("members");
            assertEquals(Map.of("name", "host-id", "type", "int"), members.get(1));
            assertTrue(((Map<?, ?>) members.get(4)).containsKey("default"), "tag is optional: " + members.get(4));
            assertEquals("[Extent]", ((Map<?, ?>) members.get(8)).get("type"));
            assertEquals(List.of("free", "prescriptive"), byName.get("Policy").get("values"));
            assertEquals("event", byName.get("RESET").get("meta-type"));
            for (Map<?, ?> entry : byName.values()) {
                for (String reference : List.of("arg-type", "ret-type", "element-type")) {
                    Object type = entry.get(reference);
                    assertTrue(type == null || byName.containsKey(type), entry.toString());
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "0",
                "-5",
                "18446744073709551615",
                "\"\"",
                "\"a\\\"\\u00E9\"",
                "true",
                "[]",
                "[1, [2, {}]]",
                "{\"a\": {\"b\": null}}",
                "1.5"
            })
    void shouldGiveBackAnIdOfAnyType(String id) {
        try (RawClient client = server.negotiated()) {
            client.send("{\"execute\": \"query-name\", \"id\": " + id + "}");
            assertEquals("{\"return\": {\"name\": \"cxl-mem0\"}, \"id\": " + id + "}", client.receiveLine());
            client.send("{\"id\": " + id + ", \"execute\": \"zzz\"}");
            assertEquals(
                    "{\"id\": " + id + ", \"error\": {\"class\": \"CommandNotFound\","
                            + " \"desc\": \"The command zzz has not been found\"}}",
                    client.receiveLine());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]                                       | QMP input must be a JSON object",
                "null                                     | QMP input must be a JSON object",
                "\"x\"                                    | QMP input must be a JSON object",
                "{}                                       | QMP input lacks member 'execute'",
                "{\"arguments\":{}}                       | QMP input lacks member 'execute'",
                "{\"execute\":5}                          | QMP input member 'execute' must be a string",
                "{\"execute\":\"x\",\"arguments\":[]}     | QMP input member 'arguments' must be an object",
                "{\"execute\":\"x\",\"arguments\":null}   | QMP input member 'arguments' must be an object",
                "{\"execute\":\"x\",\"extra\":1}          | QMP input member 'extra' is unexpected",
                "{\"exec-oob\":\"x\"}                     | QMP input member 'exec-oob' is unexpected",
                "{\"execute\": }                          | JSON parse error, expecting value",
                "{\"execute\":\"query-name\"]             | JSON parse error, expected ',' or '}'",
                "{]                                       | JSON parse error, expected ',' or '}'",
                "foo                                      | JSON parse error, invalid keyword 'foo'",
                "%p                                       | JSON parse error, stray '%'",
                "{\"execute\":\"query-name\", @ }         | JSON parse error, stray '@'"
            },
            quoteCharacter = '#')
    void shouldSayWhatIsWrongWithAMessageAndGoOn(String message, String description) {
        try (RawClient client = server.negotiated()) {
            assertEquals("GenericError: " + description, client.refusal(message + "\n"));
            assertEquals(Map.of("name", "cxl-mem0"), client.ask("{'execute':'query-name'}"));
        }
    }

    @Test
    void shouldGiveBackTheIdOfAMessageThatIsNoCommand() {
        try (RawClient client = server.negotiated()) {
            client.send("{'id': 7, 'extra': 1}");
            assertEquals(7L, client.receive().get("id"));
        }
    }

    @Test
    void shouldAnswerManyCommandsOfOnePacketInOrder() {
        try (RawClient client = server.negotiated()) {
            StringBuilder packet = new StringBuilder();
            for (int i = 0; i < 500; i++) {
                packet.append("{'execute':'echo','arguments':{'value':")
                        .append(i)
                        .append("}}");
            }
            client.send(packet.toString());
            for (long i = 0; i < 500; i++) {
                assertEquals(i, client.receive().get("return"));
            }
        }
    }

    @Test
    void shouldAnswerACommandThatComesByteByByte() {
        try (RawClient client = server.negotiated()) {
            for (byte b : "\r\n {'execute' : 'query-name'}".getBytes(StandardCharsets.US_ASCII)) {
                client.send(new byte[] {b});
            }
            assertEquals(Map.of("return", Map.of("name", "cxl-mem0")), client.receive());
        }
    }

    @Test
    void shouldAnswerAClientThatEndsItsInputBeforeItReads() {
        try (RawClient client = server.connect()) {
            client.send("{'execute':'qmp_capabilities'}{'execute':'query-name'}{'execute':'hal");
            client.endInput();

            assertTrue(client.receive().containsKey("QMP"));
            assertEquals(Map.of("return", Map.of()), client.receive());
            assertEquals(Map.of("return", Map.of("name", "cxl-mem0")), client.receive());
            assertNull(client.receiveLine());
        }
    }

    @Test
    void shouldAnswerRefusalsAndDefectsOfHandlers() {
        try (RawClient client = server.negotiated()) {
            assertEquals("GenericError: no: reason=test", client.refusal("{'execute':'refuse'}"));
            assertEquals(List.of(), server.errors);
            assertEquals("GenericError: internal error: broken on purpose", client.refusal("{'execute':'fail'}"));
            assertEquals(1, server.errors.size());
            assertEquals(
                    "GenericError: internal error: command returned no reply",
                    client.refusal("{'execute':'return-nothing'}"));
            assertTrue(client.refusal("{'execute':'return-nonsense'}").contains("internal error: value has no form"));
            assertEquals(3, server.errors.size());
            assertEquals(1L, client.ask("{'execute':'echo','arguments':{'value':1}}"));
        }
    }

    @Test
    void shouldKeepTheOrderOfRepliesWhileOneIsPendingAndServeOthers() throws InterruptedException {
        try (RawClient client = server.negotiated();
                RawClient other = server.negotiated()) {
            client.send("{'execute':'promise','id':1}{'execute':'echo','arguments':{'value':2},'id':2}");
            while (server.promises.isEmpty()) {
                Thread.sleep(1);
            }
            assertEquals("other", other.ask("{'execute':'echo','arguments':{'value':'other'}}"));
            assertEquals(1, server.echoes.get());

            assertTrue(server.promises.get(0).complete(QmpReply.of("late")));
            assertFalse(server.promises.get(0).complete(QmpReply.done()));
            client.send("{'execute':'echo','arguments':{'value':3},'id':3}");
            assertEquals(Map.of("return", "late", "id", 1L), client.receive());
            assertEquals(Map.of("return", 2L, "id", 2L), client.receive());
            assertEquals(Map.of("return", 3L, "id", 3L), client.receive());
        }
    }

    @Test
    void shouldDropAPendingReplyWhoseClientHasGone() throws InterruptedException {
        try (RawClient client = server.negotiated()) {
            client.send("{'execute':'promise'}");
            while (server.promises.isEmpty()) {
                Thread.sleep(1);
            }
        }
        server.promises.get(0).complete(QmpReply.refused("too late"));
        server.awaitClientCount(0);
        assertEquals(List.of(), server.errors);
    }

    @Test
    void shouldSendEventsToNegotiatedClientsOnly() {
        try (RawClient negotiated = server.negotiated();
                RawClient fresh = server.connect()) {
            fresh.receive();
            server.emit("TEST");

            Map<?, ?> event = negotiated.receive();
            assertEquals("TEST", event.get("event"));
            Map<?, ?> timestamp = (Map<?, ?>) event.get("timestamp");
            long ageSeconds = System.currentTimeMillis() / 1000 - (Long) timestamp.get("seconds");
            assertTrue(ageSeconds >= 0 && ageSeconds < 60, event.toString());
            assertTrue((Long) timestamp.get("microseconds") < 1_000_000, event.toString());
            assertTrue(fresh.refusal("{'execute':'query-name'}").startsWith("CommandNotFound"));
        }
    }

    @Test
    void shouldResetWithAnEventBeforeTheReply() {
        try (RawClient client = server.negotiated();
                RawClient other = server.negotiated()) {
            client.send("{'execute':'system_reset'}");

            Map<?, ?> event = client.receive();
            assertEquals("RESET", event.get("event"));
            assertEquals(Map.of("guest", false, "reason", "host-qmp-system-reset"), event.get("data"));
            assertEquals(Map.of("return", Map.of()), client.receive());
            assertEquals("RESET", other.receive().get("event"));
            assertEquals(1, server.resets.get());
        }
    }

    @Test
    void shouldQuitAfterTheReplyIsOnItsWay() throws InterruptedException {
        try (RawClient client = server.negotiated()) {
            client.send("{'execute':'quit'}");

            Map<?, ?> event = client.receive();
            assertEquals("SHUTDOWN", event.get("event"));
            assertEquals(Map.of("guest", false, "reason", "host-qmp-quit"), event.get("data"));
            assertEquals(Map.of("return", Map.of()), client.receive());
            assertTrue(server.quit.await(10, TimeUnit.SECONDS));
        }
    }

    @Test
    void shouldServeSeveralClientsEachWithItsOwnState() {
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            clients.add(server.negotiated());
        }
        for (RawClient client : clients) {
            client.send("{'execute':'echo','arguments':");
        }
        for (int i = 0; i < clients.size(); i++) {
            clients.get(i).send("{'value':" + i + "}}");
        }
        for (int i = 0; i < clients.size(); i++) {
            assertEquals((long) i, clients.get(i).receive().get("return"));
            clients.get(i).close();
        }
    }

    @Test
    void shouldTurnAwayOneClientTooManyAndTakeTheNextWhenThereIsRoom() throws InterruptedException {
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < QmpServer.SOCKET_CLIENTS_LIMIT; i++) {
            clients.add(server.negotiated());
        }
        try (RawClient tooMany = server.connect()) {
            assertEquals("GenericError: too many QMP clients: limit=128", tooMany.receiveRefusal());
            assertNull(tooMany.receiveLine());
        }
        assertEquals(1L, clients.get(127).ask("{'execute':'echo','arguments':{'value':1}}"));
        clients.remove(0).close();
        server.awaitClientCount(QmpServer.SOCKET_CLIENTS_LIMIT - 1);
        try (RawClient next = server.negotiated()) {
            assertEquals(2L, next.ask("{'execute':'echo','arguments':{'value':2}}"));
        }
        clients.forEach(RawClient::close);
        server.awaitClientCount(0);
        assertEquals(1, server.lines.size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                                       | Parameter 'path' is missing",
                "'path':5                                 | Invalid parameter type for 'path', expected: string",
                "'path':null                              | Invalid parameter type for 'path', expected: string",
                "'host-id':65536                          | Parameter 'host-id' expects uint16_t",
                "'host-id':-1                             | Parameter 'host-id' expects uint16_t",
                "'host-id':\"5\"                          | Parameter 'host-id' expects uint64",
                "'host-id':1.0                            | Parameter 'host-id' expects uint64",
                "'host-id':1e2                            | Parameter 'host-id' expects uint64",
                "'host-id':null                           | Parameter 'host-id' expects uint64",
                "'host-id':true                           | Parameter 'host-id' expects uint64",
                "'host-id':18446744073709551616           | Parameter 'host-id' expects uint64",
                "'selection-policy':'bogus'               | Parameter 'selection-policy' does not accept value 'bogus'",
                "'selection-policy':'Free'                | Parameter 'selection-policy' does not accept value 'Free'",
                "'selection-policy':2                     | Invalid parameter type for 'selection-policy', expected: string",
                "'region':256                             | Parameter 'region' expects uint8_t",
                "'tag':5                                  | Invalid parameter type for 'tag', expected: string",
                "'tag':null                               | Invalid parameter type for 'tag', expected: string",
                "'forced':1                               | Invalid parameter type for 'forced', expected: boolean",
                "'forced':'true'                          | Invalid parameter type for 'forced', expected: boolean",
                "'temperature':32768                      | Parameter 'temperature' expects int16_t",
                "'temperature':'x'                        | Invalid parameter type for 'temperature', expected: integer",
                "'header':['x']                           | Parameter 'header[0]' expects uint64",
                "'header':[1,4294967296]                  | Parameter 'header[1]' expects uint32_t",
                "'extents':{}                             | Invalid parameter type for 'extents', expected: array",
                "'extents':[5]                            | Invalid parameter type for 'extents[0]', expected: object",
                "'extents':[{}]                           | Parameter 'extents[0].offset' is missing",
                "'extents':[{'offset':0}]                 | Parameter 'extents[0].len' is missing",
                "'extents':[{'offset':0,'len':0,'zz':1}]  | Parameter 'extents[0].zz' is unexpected",
                "'extents':[{'offset':0,'len':1},{'offset':-1,'len':'x'}] | Parameter 'extents[1].len' expects uint64",
                "'zzz':1                                  | Parameter 'zzz' is unexpected"
            },
            quoteCharacter = '#')
    void shouldRefuseArgumentsInQemusWordsAndOrder(String change, String description) {
        try (RawClient client = server.negotiated()) {
            assertEquals("GenericError: " + description, client.refusal(addWith(change)));
        }
    }

    @Test
    void shouldCheckParametersInTheOrderOfTheRowAndUnexpectedOnesLast() {
        try (RawClient client = server.negotiated()) {
            assertEquals(
                    "GenericError: Parameter 'path' is missing",
                    client.refusal("{'execute':'add','arguments':{'zzz':1,'extents':5,'host-id':-1}}"));
            assertEquals(
                    "GenericError: Parameter 'host-id' is missing",
                    client.refusal("{'execute':'add','arguments':{'zzz':1,'extents':5,'path':'x'}}"));
        }
    }

    @Test
    void shouldTakeAllOf64BitsAsQemuDoes() {
        try (RawClient client = server.negotiated()) {
            String answer = (String) client.ask(addWith("'extents':[{'offset':18446744073709551615,'len':-2}]"));

            assertTrue(answer.contains("{offset=-1, len=-2}"), answer);
            assertEquals(new BigInteger("18446744073709551614"), QmpJson.unsigned(-2));
            assertTrue(((String) client.ask(addWith("'tag':'t','forced':true"))).contains("tag=t, forced=true"));
        }
    }

    /** A complete call, with one argument exchanged or added; with none, an empty one. */
    private static String addWith(String change) {
        List<String> arguments = new ArrayList<>(Arrays.asList(
                "'path':'cxl-mem0'",
                "'host-id':0",
                "'selection-policy':'prescriptive'",
                "'region':0",
                "'extents':[{'offset':0,'len':2097152}]"));
        if (change.equals("''")) {
            return "{'execute':'add','arguments':{}}";
        }
        String name = change.substring(0, change.indexOf(':') + 1);
        arguments.removeIf(argument -> argument.startsWith(name));
        arguments.add(change);
        return "{'execute':'add','arguments':{" + String.join(",", arguments) + "}}";
    }
}
