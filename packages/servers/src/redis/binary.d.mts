export function findRedisBinary(env?: NodeJS.ProcessEnv): {
  readonly path: string | undefined
  readonly version: string | undefined
  readonly refused: readonly string[]
}
