import type { FoldedProjection } from '@sekali/client/answers'
import { wait } from '@sekali/client/retry'
import { openProgress, type Progress } from '@sekali/process/progress'
import type { Context } from '../context.ts'
import { exitCodes } from '../exit.ts'
import { plain } from '../terminal/text.ts'

const everyMs = 500

/** Waits until a rebuild that was asked for has taken the place of the old state, or has failed. */
export async function waitForRebuild(context: Context, name: string): Promise<number> {
  const { json, out, report, signal } = context
  using progress = json ? undefined : openProgress(process.stderr)
  const stage = createStage(progress)
  for (;;) {
    const projection = await find(context, name)
    const { rebuild } = projection ?? {}
    if (rebuild?.status === 'building') stage.note(rebuild.lag)
    else {
      stage.end()
      const hasFailed = rebuild?.status === 'failed'
      if (json) await out.line(JSON.stringify({ name, status: hasFailed ? 'failed' : projection?.status }))
      else if (hasFailed)
        report(`the rebuild of ${plain(name)} has failed: ${plain(rebuild?.error?.message ?? '')}`)
      else await out.line(`${plain(name)} is rebuilt`)
      return hasFailed ? exitCodes.refused : exitCodes.done
    }
    await wait(everyMs, signal)
  }
}

const find = async ({ client, options }: Context, name: string): Promise<FoldedProjection | undefined> =>
  (await client.projections(options)).find(
    (one): one is FoldedProjection => one.name === name && one.status !== 'not_loaded',
  )

/** What is to be folded is what is behind at first; what comes meanwhile is folded as well. */
function createStage(progress: Progress | undefined) {
  let total = 0
  return {
    note(lag: number) {
      if (lag > total) {
        total = lag
        progress?.stage('rebuild', total)
      }
      progress?.update(total - lag)
    },
    end() {
      progress?.update(total)
      progress?.[Symbol.dispose]()
    },
  }
}
