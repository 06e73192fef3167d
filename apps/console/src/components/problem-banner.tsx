import type { Problem } from '../http/problem.ts'
import { visible } from '../text/visible.ts'
import { Banner } from './basics.tsx'

/** Why something did not work, in the words of the gateway. */
export function ProblemBanner({ problem, title }: { problem: Problem | undefined; title?: string }) {
  if (problem === undefined) return null
  return (
    <Banner tone="problem" title={title ?? 'This did not work'} alert>
      {visible(problem.message)} <code>{problem.code}</code>
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ path, message }) => (
            <li key={`${path} ${message}`}>
              <code>{path || 'body'}</code> {visible(message)}
            </li>
          ))}
        </ul>
      )}
    </Banner>
  )
}
