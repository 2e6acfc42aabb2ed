/**
 * The shared state file: its layout, and everything that several processes read and write in it. The only package that knows offsets, and the
 * only one that stores to shared memory, all of it through {@link io.mhsld.state.SharedMemory}.
 *
 * <p>Contract of the shared fields (a writer that is "lease holder" is the head itself or, after its death, whoever reaps it; the table lock is a kernel lock that
 * is held for an instant):
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
 * tag table: sequence| table lock holder   | release, fence    | all          | volatile  | odd: do not rely on what you remember
 * tag row: life      | table lock holder   | release, fence    | all          | volatile  | tag, region, extents; the reference
 * tag row: holders   | table lock holder   | release, fence    | all          | volatile  | the incarnation beside it
 * tag row: the rest  | table lock holder   | plain, while free | all          | plain     | checked by reading life again
 * region settings    | table lock holder   | release           | all          | volatile  |
 * poison: current    | table lock holder   | release           | all          | acquire   | the list that it names
 * poison: lists      | table lock holder   | plain, not current| all          | plain     | checked by reading current again
 * counters           | lease holder        | release           | all          | acquire   |
 * error log          | the head            | Agrona            | all          | Agrona    |
 * </pre>
 */
package io.mhsld.state;
