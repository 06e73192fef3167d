/** A log that keeps nothing. */
export const quiet = { info: () => {}, warn: () => {}, error: () => {} }
