// Property tests use the same values in every run, so that only a change can cause a failure.
// DAOS_TEST_SEED=NUMBER selects other values. The fuzz scripts use many more.
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.DAOS_TEST_SEED ?? 20191217) });
