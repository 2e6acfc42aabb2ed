package io.mhsld.stress.soak;

import java.util.ArrayList;
import java.util.List;

/**
 * A straight line through samples, by least squares.
 *
 * @param samples how many there were
 * @param mean of the values
 * @param perHour by how much the value grows
 * @param errorPerHour standard error of that
 * @param hours from the first sample to the last
 */
record Slope(int samples, double mean, double perHour, double errorPerHour, double hours) {
    /** Three standard errors: of a thousand flat series with independent noise, one or two seem to grow. */
    private static final double CERTAINTY = 3;

    /** One value at one time. */
    record Sample(double hours, double value) {}

    static Slope through(List<Sample> all) {
        List<Sample> samples = new ArrayList<>(all);
        int count = samples.size();
        double meanHours = samples.stream().mapToDouble(Sample::hours).average().orElse(0);
        double mean = samples.stream().mapToDouble(Sample::value).average().orElse(0);
        double sumXx = 0;
        double sumXy = 0;
        for (Sample sample : samples) {
            sumXx += (sample.hours - meanHours) * (sample.hours - meanHours);
            sumXy += (sample.hours - meanHours) * (sample.value - mean);
        }
        double perHour = sumXx == 0 ? 0 : sumXy / sumXx;
        double residue = 0;
        for (Sample sample : samples) {
            double expected = mean + perHour * (sample.hours - meanHours);
            residue += (sample.value - expected) * (sample.value - expected);
        }
        double error = count < 3 || sumXx == 0 ? Double.POSITIVE_INFINITY : Math.sqrt(residue / (count - 2) / sumXx);
        double hours = count == 0 ? 0 : samples.get(count - 1).hours - samples.get(0).hours;
        return new Slope(count, mean, perHour, error, hours);
    }

    /** By how much the line rises from the first sample to the last. */
    double rise() {
        return perHour * hours;
    }

    /** What is certain of the rise. */
    double certainRise() {
        return (perHour - CERTAINTY * errorPerHour) * hours;
    }

    /** The least growth per hour that would have been called so, with a rise of {@code leastRise} that is not noise. */
    double visiblePerHour(double leastRise) {
        return hours == 0 ? Double.POSITIVE_INFINITY : leastRise / hours + CERTAINTY * errorPerHour;
    }
}
