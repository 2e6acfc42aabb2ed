package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.Layout.Field;
import io.mhsld.cci.Layout.Kind;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The offsets as the specification and the wire have them, in literal numbers. */
class LayoutsTest {
    private static String drawing(List<Field> fields) {
        StringBuilder drawing = new StringBuilder();
        for (Field field : fields) {
            if (field.kind() != Kind.RESERVED) {
                drawing.append(field.name()).append('@').append(field.offset()).append(':');
                drawing.append(field.width()).append(' ');
            }
        }
        return drawing.toString().strip();
    }

    private static void assertLayout(long length, String drawing, Layout layout) {
        assertEquals(drawing, drawing(layout.fields()), layout.name());
        assertEquals(length, layout.lengthBytes(0), layout.name());
    }

    private static Layout entryOf(Layout layout) {
        return layout.block().orElseThrow().entry();
    }

    @Test
    void shouldPlaceEventRecords() {
        assertLayout(
                48,
                "recordId@0:16 recordLength@16:1 recordFlags@17:3 handle@20:2 relatedHandle@22:2 timestampNs@24:8"
                        + " maintenanceOperationClass@32:1 maintenanceOperationSubclass@33:1 ldId@34:2 headId@36:1",
                EventLayouts.EVENT_RECORD_HEADER);
        String data = "type@48:1 validity@49:1 hostId@50:2 updatedRegion@52:1 flags@53:1 startDpa@56:8 lengthBytes@64:8"
                + " tag@72:16 sharedSequence@88:2 extentsAvailable@120:4 tagsAvailable@124:4";
        assertLayout(128, drawing(EventLayouts.EVENT_RECORD_HEADER.fields()) + " " + data, EventLayouts.DC_RECORD);
        assertLayout(
                32,
                "flags@0:1 overflowCount@2:2 firstOverflowNs@4:8 lastOverflowNs@12:8 recordCount@20:2",
                EventLayouts.EVENT_RECORDS);
        assertEquals(15, EventLayouts.EVENT_RECORDS.entriesWithin(2048));
    }

    @Test
    void shouldPlaceMemoryEventRecords() {
        String header = drawing(EventLayouts.EVENT_RECORD_HEADER.fields());
        assertLayout(128, header + " data@48:80", EventLayouts.EVENT_RECORD);
        assertLayout(
                128,
                header + " physicalAddress@48:8 descriptor@56:1 type@57:1 transactionType@58:1 validity@59:2"
                        + " channel@61:1 rank@62:1 device@63:3 componentId@66:16 thresholdFlags@82:1"
                        + " correctedErrorCount@83:3 subType@86:1",
                EventLayouts.GENERAL_MEDIA_RECORD);
        assertLayout(
                128,
                header + " physicalAddress@48:8 descriptor@56:1 type@57:1 transactionType@58:1 validity@59:2"
                        + " channel@61:1 rank@62:1 nibbleMask@63:3 bankGroup@66:1 bank@67:1 row@68:3 column@71:2"
                        + " correctionMask0@73:8 correctionMask1@81:8 correctionMask2@89:8 correctionMask3@97:8"
                        + " componentId@105:16 subChannel@121:1 thresholdFlags@122:1 correctedErrorCount@123:3"
                        + " subType@126:1",
                EventLayouts.DRAM_RECORD);
        assertLayout(
                128,
                header + " type@48:1 healthStatus@49:1 mediaStatus@50:1 additionalStatus@51:1 lifeUsedPercent@52:1"
                        + " temperatureCelsius@53:2 dirtyShutdowns@55:4 correctedVolatileErrors@59:4"
                        + " correctedPersistentErrors@63:4 validity@67:2 componentId@69:16 subType@85:1",
                EventLayouts.MEMORY_MODULE_RECORD);
    }

    @Test
    void shouldPlaceEventRequests() {
        assertLayout(1, "log@0:1", EventLayouts.GET_EVENT_RECORDS);
        assertLayout(6, "log@0:1 flags@1:1 handleCount@2:1", EventLayouts.CLEAR_EVENT_RECORDS);
        assertLayout(2, "handle@0:2", entryOf(EventLayouts.CLEAR_EVENT_RECORDS));
        assertLayout(4, "informational@0:1 warning@1:1 failure@2:1 fatal@3:1", EventLayouts.SET_EVENT_INTERRUPT_POLICY);
        assertLayout(
                5,
                "informational@0:1 warning@1:1 failure@2:1 fatal@3:1 dynamicCapacity@4:1",
                EventLayouts.EVENT_INTERRUPT_POLICY);
    }

    @Test
    void shouldPlaceTimestampAndLogs() {
        assertLayout(8, "timestampNs@0:8", Layouts.TIMESTAMP);
        assertLayout(8, "logCount@0:2", Layouts.SUPPORTED_LOGS);
        assertLayout(20, "logId@0:16 sizeBytes@16:4", entryOf(Layouts.SUPPORTED_LOGS));
        assertEquals(0x1c, Layouts.SUPPORTED_LOGS.lengthBytes(1));
        assertLayout(0x18, "logId@0:16 offsetBytes@16:4 lengthBytes@20:4", Layouts.GET_LOG);
        assertLayout(4, "opcode@0:2 effects@2:2", entryOf(Layouts.COMMAND_EFFECTS_LOG));
    }

    @Test
    void shouldPlaceIdentify() {
        assertLayout(
                0x45,
                "firmwareRevision@0:16 totalCapacityBytes@16:8 volatileCapacityBytes@24:8"
                        + " persistentCapacityBytes@32:8 partitionAlignmentBytes@40:8 informationalLogDepth@48:2"
                        + " warningLogDepth@50:2 failureLogDepth@52:2 fatalLogDepth@54:2 labelStorageBytes@56:4"
                        + " poisonListDepth@60:3 injectPoisonLimit@63:2 poisonHandling@65:1 qosTelemetry@66:1"
                        + " dynamicCapacityLogDepth@67:2",
                Layouts.IDENTIFY_MEMORY_DEVICE);
    }

    @Test
    void shouldPlaceDynamicCapacity() {
        assertLayout(2, "regionCount@0:1 startRegion@1:1", Layouts.GET_DC_CONFIGURATION);
        assertLayout(8 + 16, "availableRegions@0:1 returnedRegions@1:1", Layouts.DC_CONFIGURATION);
        assertLayout(
                40,
                "baseDpa@0:8 decodeLengthBytes@8:8 lengthBytes@16:8 blockSizeBytes@24:8 dsmadHandle@32:4 flags@36:1",
                entryOf(Layouts.DC_CONFIGURATION));
        assertEquals(
                "extentsSupported@0:4 extentsAvailable@4:4 tagsSupported@8:4 tagsAvailable@12:4",
                drawing(Layouts.DC_CONFIGURATION.tail()));
        assertLayout(8, "extentCount@0:4 startIndex@4:4", Layouts.GET_DC_EXTENT_LIST);
        assertLayout(16, "returnedExtents@0:4 totalExtents@4:4 generation@8:4", Layouts.DC_EXTENT_LIST);
        assertLayout(40, "startDpa@0:8 lengthBytes@8:8 tag@16:16 sharedSequence@32:2", Layouts.EXTENT);
        assertEquals(50, Layouts.DC_EXTENT_LIST.entriesWithin(2048));
        assertLayout(8, "extentCount@0:4 flags@4:1", Layouts.HOST_EXTENT_LIST);
        assertLayout(24, "startDpa@0:8 lengthBytes@8:8", entryOf(Layouts.HOST_EXTENT_LIST));
        assertEquals(85, Layouts.HOST_EXTENT_LIST.entriesWithin(2048));
    }

    @Test
    void shouldPlaceMultiHead() {
        assertLayout(2, "startLd@0:1 mapLengthLimit@1:1", Layouts.GET_MULTI_HEADED_INFO);
        assertLayout(8, "ldCount@0:1 headCount@1:1 startLd@4:1 mapLength@5:1", Layouts.MULTI_HEADED_INFO);
        assertLayout(1, "head@0:1", entryOf(Layouts.MULTI_HEADED_INFO));
        assertLayout(2, "startHead@0:1 headCount@1:1", Layouts.GET_HEAD_INFO);
        assertLayout(4, "headCount@0:1", Layouts.HEAD_INFO);
        assertLayout(
                9,
                "port@0:1 maxLinkWidth@1:1 negotiatedLinkWidth@2:1 supportedLinkSpeeds@3:1 maxLinkSpeed@4:1"
                        + " currentLinkSpeed@5:1 linkTrainingState@6:1 firstLane@7:1 linkFlags@8:1",
                entryOf(Layouts.HEAD_INFO));
    }

    @Test
    void shouldNameTheClauseOfEachPayloadOfTheTable() {
        OpcodeTable.ALL.stream()
                .flatMap(opcode -> Stream.of(opcode.request(), opcode.response()))
                .filter(layout -> layout.lengthBytes(1) > 0)
                .forEach(layout -> assertTrue(layout.clause().matches("[78](\\.\\d+)+"), layout.name()));
    }
}
