import { countText } from '../text/words.ts'

interface ProgressProps {
  readonly done: number
  readonly of: number
  /** What goes on: read out, and not shown. */
  readonly label: string
}

/** How far something is, as a bar and in numbers. */
export function Progress({ done, of, label }: ProgressProps) {
  return (
    <span class="progress">
      <progress value={done} max={Math.max(of, 1)} aria-label={label} />
      <span>
        {countText(done)} of {countText(of)}
      </span>
    </span>
  )
}
