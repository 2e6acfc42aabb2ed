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
    void shouldPlaceGenericCommands() {
        assertLayout(
                18,
                "vendorId@0:2 deviceId@2:2 subsystemVendorId@4:2 subsystemId@6:2 serialNumber@8:8"
                        + " maxMessageSizeExponent@16:1 componentType@17:1",
                GenericLayouts.IDENTITY);
        assertLayout(8, "status@0:1 opcode@2:2 returnCode@4:2 vendorStatus@6:2", GenericLayouts.BACKGROUND_STATUS);
        assertLayout(1, "exponent@0:1", GenericLayouts.MESSAGE_LIMIT);
    }

    @Test
    void shouldPlaceFirmware() {
        assertLayout(
                0x50,
                "slotCount@0:1 slots@1:1 capabilities@2:1 revision1@16:16 revision2@32:16 revision3@48:16"
                        + " revision4@64:16",
                FirmwareLayouts.FIRMWARE_INFO);
        assertLayout(0x80, "action@0:1 slot@1:1 offset@4:4", FirmwareLayouts.TRANSFER_FIRMWARE);
        assertLayout(2, "action@0:1 slot@1:1", FirmwareLayouts.ACTIVATE_FIRMWARE);
    }

    @Test
    void shouldPlaceMoreLogs() {
        assertLayout(16, "logId@0:16", LogLayouts.LOG_ID);
        assertLayout(4, "capabilities@0:4", LogLayouts.LOG_CAPABILITIES);
        assertLayout(2, "entryLimit@0:1 startIndex@1:1", LogLayouts.GET_SUPPORTED_LOGS_SUB_LIST);
        assertLayout(8, "logCount@0:1 totalCount@2:2 startIndex@4:1", LogLayouts.SUPPORTED_LOGS_SUB_LIST);
    }

    @Test
    void shouldPlaceFeatures() {
        assertLayout(8, "countBytes@0:4 startIndex@4:2", FeatureLayouts.GET_SUPPORTED_FEATURES);
        assertLayout(8, "entryCount@0:2 featureCount@2:2", FeatureLayouts.SUPPORTED_FEATURES);
        assertLayout(
                48,
                "featureId@0:16 index@16:2 getSizeBytes@18:2 setSizeBytes@20:2 attributes@22:4 getVersion@26:1"
                        + " setVersion@27:1 setEffects@28:2",
                entryOf(FeatureLayouts.SUPPORTED_FEATURES));
        assertLayout(0x15, "featureId@0:16 offset@16:2 countBytes@18:2 selection@20:1", FeatureLayouts.GET_FEATURE);
        assertLayout(0x20, "featureId@0:16 flags@16:4 offset@20:2 version@22:1", FeatureLayouts.SET_FEATURE);
    }

    @Test
    void shouldPlacePartitionsAndLabels() {
        assertLayout(
                0x20,
                "activeVolatileBytes@0:8 activePersistentBytes@8:8 nextVolatileBytes@16:8 nextPersistentBytes@24:8",
                MemoryDeviceLayouts.PARTITION_INFO);
        assertLayout(9, "volatileUnits@0:8 flags@8:1", MemoryDeviceLayouts.SET_PARTITION_INFO);
        assertLayout(8, "offset@0:4 lengthBytes@4:4", MemoryDeviceLayouts.GET_LABELS);
        assertLayout(8, "offset@0:4", MemoryDeviceLayouts.SET_LABELS);
        assertLayout(4, "securityState@0:4", MemoryDeviceLayouts.SECURITY_STATE);
    }

    @Test
    void shouldPlaceHealth() {
        assertLayout(
                18,
                "healthStatus@0:1 mediaStatus@1:1 additionalStatus@2:1 lifeUsedPercent@3:1 temperature@4:2"
                        + " dirtyShutdowns@6:4 correctedVolatileErrors@10:4 correctedPersistentErrors@14:4",
                MemoryDeviceLayouts.HEALTH_INFO);
        assertLayout(
                16,
                "validAlerts@0:1 programmableAlerts@1:1 lifeUsedCritical@2:1 lifeUsedWarning@3:1"
                        + " overTemperatureCritical@4:2 underTemperatureCritical@6:2 overTemperatureWarning@8:2"
                        + " underTemperatureWarning@10:2 correctedVolatileWarning@12:2 correctedPersistentWarning@14:2",
                MemoryDeviceLayouts.ALERT_CONFIGURATION);
        assertLayout(
                12,
                "validActions@0:1 enableActions@1:1 lifeUsedWarning@2:1 overTemperatureWarning@4:2"
                        + " underTemperatureWarning@6:2 correctedVolatileWarning@8:2 correctedPersistentWarning@10:2",
                MemoryDeviceLayouts.SET_ALERT_CONFIGURATION);
        assertLayout(1, "state@0:1", MemoryDeviceLayouts.SHUTDOWN_STATE);
    }

    @Test
    void shouldPlacePoisonAndScans() {
        assertLayout(16, "startDpa@0:8 lengthLines@8:8", MediaLayouts.MEDIA_RANGE);
        assertLayout(32, "flags@0:1 overflowNs@2:8 recordCount@10:2", MediaLayouts.POISON_LIST);
        assertLayout(16, "dpaAndSource@0:8 lengthLines@8:4", entryOf(MediaLayouts.POISON_LIST));
        assertEquals(126, MediaLayouts.POISON_LIST.entriesWithin(2048));
        assertLayout(8, "dpa@0:8", MediaLayouts.INJECT_POISON);
        assertLayout(72, "dpa@0:8 data@8:64", MediaLayouts.CLEAR_POISON);
        assertLayout(4, "estimateMs@0:4", MediaLayouts.SCAN_CAPABILITIES);
        assertLayout(17, "startDpa@0:8 lengthLines@8:8 flags@16:1", MediaLayouts.SCAN_MEDIA);
        assertLayout(32, "restartDpa@0:8 restartLines@8:8 flags@16:1 recordCount@18:2", MediaLayouts.SCAN_RESULTS);
    }

    @Test
    void shouldPlaceMediaOperations() {
        assertLayout(8, "class@0:1 subclass@1:1 rangeCount@4:4", MediaLayouts.MEDIA_OPERATION);
        assertLayout(16, "startDpa@0:8 lengthBytes@8:8", entryOf(MediaLayouts.MEDIA_OPERATION));
        assertLayout(4, "startIndex@0:2 operationLimit@2:2", MediaLayouts.DISCOVERY);
        assertLayout(12, "granularityBytes@0:8 totalCount@8:2 operationCount@10:2", MediaLayouts.SUPPORTED_OPERATIONS);
        assertLayout(2, "class@0:1 subclass@1:1", entryOf(MediaLayouts.SUPPORTED_OPERATIONS));
    }

    @Test
    void shouldNameTheClauseOfEachPayloadOfTheTable() {
        OpcodeTable.ALL.stream()
                .flatMap(opcode -> Stream.of(opcode.request(), opcode.response()))
                .filter(layout -> layout.lengthBytes(1) > 0)
                .forEach(layout -> assertTrue(layout.clause().matches("[78](\\.\\d+)+"), layout.name()));
    }
}
