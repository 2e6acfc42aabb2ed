package io.mhsld.cli;

import picocli.CommandLine.IVersionProvider;

/** The version of this build, from the jar's manifest. */
public final class Version implements IVersionProvider {
    /** "0.1.0", or "development" outside of a jar. */
    public static String number() {
        String number = Version.class.getPackage().getImplementationVersion();
        return number == null ? "development" : number;
    }

    @Override
    public String[] getVersion() {
        return new String[] {"mhsld " + number() + " (Java " + System.getProperty("java.version") + ")"};
    }
}
