/** Whether the tests run at full size: `make soak` sets SPELLWORK_SOAK. */
export const SOAK = Number(process.env.SPELLWORK_SOAK ?? "1") > 1;
