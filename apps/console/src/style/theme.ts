import { signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const kept = 'sekali-theme'
const themes: readonly Theme[] = ['system', 'light', 'dark']

export const theme = signal<Theme>(readTheme())

function readTheme(): Theme {
  try {
    return themes.find((name) => name === localStorage.getItem(kept)) ?? 'system'
  } catch {
    return 'system' // storage is switched off
  }
}

/** The style sheet has both palettes, by `color-scheme`. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.value
}

/** The next of the three; remembered for this browser. */
export function turnTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system'
  applyTheme()
  try {
    localStorage.setItem(kept, theme.value)
  } catch {
    // It holds until the page is left.
  }
}
