/** Every limit of webhooks, in one place. What is over a limit is refused, never cut. */
export const webhookLimits = {
  urlCharsMax: 2_048,
  /** Headers of an endpoint's own, and characters of a name and of a value. */
  headersMax: 20,
  headerNameCharsMax: 64,
  headerValueCharsMax: 1_024,
  concurrencyMax: 200,
  ratePerSecondMax: 10_000,
  timeoutSecondsMax: 60,
  /** Events in a request, and bytes of a body with several. */
  batchMax: 500,
  arrayBytesMax: 1024 * 1024,
  retryStepsMax: 19,
  retrySecondsMax: 86_400,
  /** Secrets that sign at once. */
  secretsMax: 5,
  /** Bytes of a secret: Standard Webhooks wants 24 to 64. */
  secretBytesMin: 24,
  secretBytesMax: 64,
  /** Of an answer: bytes of its body that are read and kept, and bytes of its headers. */
  responseBytesMax: 16 * 1024,
  /** Bytes of the body that are kept where it was a success. */
  deliveredBytesMax: 1_024,
  responseHeaderBytesMax: 16 * 1024,
  /** Networks in WEBHOOK_ALLOW. */
  allowMax: 100,
} as const

export const webhookDefaults = {
  concurrency: 10,
  timeoutSeconds: 15,
  /** About 28 hours in all. */
  retrySeconds: [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000],
  body: 'standard',
  batchMax: 1,
  onExhausted: 'skip',
} as const
