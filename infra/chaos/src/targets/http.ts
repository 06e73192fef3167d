import type { Target } from './target.ts'

/** A system of which we know nothing but its address: the workload and what can be checked over HTTP. */
export function connectHttp(url: string) {
  return {
    name: url,
    recoveryMsMax: 15_000,
    url,
    quietUrl: url,
    kills: () => 0,
    strayNames: () => 0,
    ended: () => [],
    logged: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  } satisfies Target
}
