/**
 * The shared state file: its layout, and everything that several processes read and write in it. The only package that knows offsets, and the
 * only one that stores to shared memory, all of it through {@link io.mhsld.state.SharedMemory}.
 *
 * <p>Contract of the shared fields (a writer that is "lease holder" is the head itself or, after its death, whoever reaps it):
 *
 * <pre>
 * field              | writers             | write mode        | readers      | read mode | publishes
 * -------------------+---------------------+-------------------+--------------+-----------+---------------------------------
 * header             | init, before version| plain             | all          | plain     |
 * version            | init, once, last    | release           | all          | acquire   | header and zeroed sections
 * owner map words    | all heads           | CAS               | all          | volatile  | who may touch which block
 * head row           | lease holder        | plain             | all          | plain     |
 * head row: state    | lease holder        | release           | all          | acquire   | the other fields of the row
 * head row: operation| lease holder        | release           | all          | acquire   | odd: lists and map may disagree
 * head row: incarn.  | lease holder        | release           | all          | acquire   | grows with each lease and each reap
 * extent table       | lease holder        | plain in a seqlock| all          | seqlock   | the lists of one moment
 * counters           | lease holder        | release           | all          | acquire   |
 * error log          | the head            | Agrona            | all          | Agrona    |
 * </pre>
 */
package io.mhsld.state;
