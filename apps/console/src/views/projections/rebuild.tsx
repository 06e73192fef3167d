import type { ProjectionInfo } from '@sekali/client'
import { useRef } from 'preact/hooks'
import { Badge, Card } from '../../components/basics.tsx'
import { Progress } from '../../components/progress.tsx'
import { plural } from '../../text/words.ts'

/** How far a rebuild, or the first build, is: the lag that it had when this page first saw it is the whole. */
export function RebuildProgress({ projection }: { projection: ProjectionInfo }) {
  const { rebuild, status, lag, version } = projection
  const now = rebuild ?? (status === 'building' ? { lag, status, version } : undefined)
  const most = useRef(0)
  if (now === undefined) {
    most.current = 0
    return null
  }
  most.current = Math.max(most.current, now.lag)
  return (
    <Card
      title={rebuild ? `Rebuild, version ${now.version}` : 'It is being built'}
      aside={<Badge tone={now.status === 'failed' ? 'problem' : 'accent'}>{now.status}</Badge>}
    >
      <Progress
        done={most.current - now.lag}
        of={most.current}
        label="Events folded since this page is open"
      />
      <p class="faint">
        {plural(now.lag, 'event')} still to be folded. Readers get{' '}
        {rebuild ? 'the version of before until it is level' : 'what is folded so far'}.
      </p>
    </Card>
  )
}
