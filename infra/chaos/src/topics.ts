const kinds = ['orders', 'payments.eu', 'logins', 'sensors.temperature', 'mail'] as const
export type TopicKind = (typeof kinds)[number]

/** The topics of a run, the hot one first. Their names hold `run`, so that runs on one system do not meet. */
export const topicsOf = (run: string | number): string[] => kinds.map((kind) => `chaos.${run}.${kind}`)

/** What these topics and no others match. */
export const patternOf = (run: string | number): string => `chaos.${run}.>`
