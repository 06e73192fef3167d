import { useEffect } from 'preact/hooks'
import { Banner } from '../components/basics.tsx'
import { call } from '../http/call.ts'
import { awaySince } from '../http/current.ts'
import { type Polled, usePolled } from '../http/poll.ts'
import { Problem } from '../http/problem.ts'

interface Readiness {
  readonly status: 'ready' | 'not_ready' | 'draining'
  readonly broker: string
  readonly store: string
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Often enough that whoever looks at the page sees a fault within five seconds. */
const askMs = 2_000
const timeoutMs = 2_500

function useReadiness(): Polled<Readiness> {
  return usePolled('readyz', readReadiness, { everyMs: askMs })
}

async function readReadiness(signal: AbortSignal): Promise<Readiness> {
  try {
    return JSON.parse((await call('readyz', { signal, timeoutMs })).text)
  } catch (error) {
    // 503 has the same fields: it is an answer, too.
    if (error instanceof Problem && error.status === 503 && error.fields.problems) {
      return error.fields as unknown as Readiness
    }
    throw error
  }
}

/** Which servers do not answer as they should; empty if all do. */
const awayOf = ({ broker, store }: Readiness): string =>
  [broker !== 'ok' && 'Redis', store !== 'ok' && 'PostgreSQL'].filter(Boolean).join()

/** What is in the way now, on top of every view. It goes by itself. */
export function HealthBanner() {
  const { data, problem } = useReadiness()
  const away = problem ? 'gateway' : data && awayOf(data)
  // Another fault begins at another time, and what was read before it does not know of it
  useEffect(() => {
    awaySince.value = away ? Date.now() : undefined
  }, [away])
  return (
    <div aria-live="assertive">
      {problem && (
        <Banner tone="problem" title="The gateway does not answer">
          How things are is unknown meanwhile. The page goes on by itself once it is back.
        </Banner>
      )}
      {!problem && data?.status === 'draining' && (
        <Banner tone="warning" title="This gateway is about to stop">
          Another one takes over, or it comes back.
        </Banner>
      )}
      {!problem && data && data.problems.length > 0 && (
        <Banner
          tone="problem"
          title={data.broker === 'ok' ? 'Events are not taken' : 'Redis: events are not taken'}
        >
          {data.problems.map((words) => (
            <p key={words}>{words}</p>
          ))}
        </Banner>
      )}
      {!problem && data?.store === 'unavailable' && (
        <Banner tone="problem" title="PostgreSQL does not answer">
          Events are taken and wait in Redis; queries and most figures are unknown until it is back.
        </Banner>
      )}
    </div>
  )
}
