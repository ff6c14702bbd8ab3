// Property tests try the same values in every run, so that a change is to blame for a failure and not chance.
// DAOS_TEST_SEED=NUMBER looks at others, as the fuzz scripts do with many more.
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.DAOS_TEST_SEED ?? 20191217) });
