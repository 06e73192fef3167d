import { useEffect, useState } from 'preact/hooks'
import { isLoginDue } from '../http/call.ts'
import { route } from '../routing/route.ts'
import { isForAllTopics, may, session } from '../session/session.ts'
import { theme, turnTheme } from '../style/theme.ts'
import { views } from '../views/registry.ts'
import type { View } from '../views/view.ts'
import { Account } from './account.tsx'
import { FindBox } from './find-box.tsx'

const groups = ['Log', 'Mend', 'System'] as const

/** On the left; on narrow screens above, where it opens with a button. */
export function Navigation({ current }: { current: View | undefined }) {
  const [isOpen, setOpen] = useState(false)
  const path = route.value.segments.join('/')
  // Whoever has gone somewhere no longer needs it
  useEffect(() => setOpen(false), [path])
  const here = current?.path.split('/')[0]
  return (
    <header class="side">
      <div class="brand">
        <a href="#/" aria-label="Sekali, overview">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" />
            <path d="M9 21.5h14M9 16h14M9 10.5h8" />
            <circle cx="22.5" cy="10.5" r="2.6" />
          </svg>
          Sekali
        </a>
        <button
          type="button"
          class="button quiet menu"
          aria-expanded={isOpen}
          aria-controls="navigation"
          onClick={() => setOpen(!isOpen)}
        >
          Menu
        </button>
      </div>
      <div id="navigation" class={isOpen ? 'side-open' : 'side-shut'}>
        {!isLoginDue.value && <FindBox />}
        <nav aria-label="Views">
          {groups.map((group) => {
            const offered = views.flatMap((view) => {
              const { path, entry } = view
              return entry?.group === group && isOffered(view) ? [{ path, ...entry }] : []
            })
            if (offered.length === 0) return null
            return (
              <ul key={group} aria-label={group}>
                {offered.map(({ path, icon, words }) => (
                  <li key={path}>
                    <a href={`#/${path}`} aria-current={path.split('/')[0] === here ? 'page' : undefined}>
                      <svg viewBox="0 0 16 16" aria-hidden="true">
                        <path d={icon} />
                      </svg>
                      {words}
                    </a>
                  </li>
                ))}
              </ul>
            )
          })}
        </nav>
        <div class="side-foot">
          <Account />
          <button type="button" class="button quiet" onClick={turnTheme}>
            Theme: {theme.value}
          </button>
        </div>
      </div>
    </header>
  )
}

/** Until it is known who one is, everything is; nothing to whom has to log in. */
const isOffered = ({ scope, isForAllTopics: needsAll = false }: View): boolean => {
  if (isLoginDue.value) return false
  if (session.value === undefined) return true
  return (scope === undefined || may(scope)) && (!needsAll || isForAllTopics.value)
}
