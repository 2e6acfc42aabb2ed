package io.mhsld.cci;

/**
 * The link of one head in the words of Get Head Info (CXL r3.1 7.6.7.5.2; encodings of PCIe link capabilities and status). No real link is
 * behind a head: an attached one is shown as trained at its full width and speed, any other as waiting for a partner.
 */
enum LinkState {
    /** Somebody serves the head. */
    UP(LinkState.LANES, LinkState.SPEED_32_GT, LinkState.TRAINING_L0),
    /** Nobody does. */
    DOWN(0, 0, LinkState.TRAINING_DETECT);

    /** PCIe Link Capabilities, Maximum Link Width: x16. */
    static final int LANES = 16;

    /** PCIe Link Capabilities, Max Link Speed: 32 GT/s. */
    static final int SPEED_32_GT = 5;

    /** PCIe Link Capabilities 2, Supported Link Speeds Vector: 2.5, 5, 8, 16 and 32 GT/s. */
    static final int SPEEDS_UP_TO_32_GT = (1 << SPEED_32_GT) - 1;

    /** Names by the value of a link-speed field; 0 while the link is down. */
    static final String[] SPEED_NAMES = {
        "none", "2.5 GT/s", "5 GT/s", "8 GT/s", "16 GT/s", "32 GT/s", "64 GT/s",
    };

    /** Link training and status states by their value. */
    static final String[] TRAINING_STATE_NAMES = {
        "detect", "polling", "configuration", "recovery", "L0", "L0s", "L1", "L2", "disabled", "loopback", "hot reset",
    };

    /** LTSSM Detect: looks for a partner. */
    static final int TRAINING_DETECT = 0x00;

    /** LTSSM L0: the link works. */
    static final int TRAINING_L0 = 0x04;

    final int negotiatedWidth;
    final int currentSpeed;
    final int trainingState;

    LinkState(int negotiatedWidth, int currentSpeed, int trainingState) {
        this.negotiatedWidth = negotiatedWidth;
        this.currentSpeed = currentSpeed;
        this.trainingState = trainingState;
    }
}
