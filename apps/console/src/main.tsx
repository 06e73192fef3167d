import { render } from 'preact'
import { Layout } from './shell/layout.tsx'
import { applyTheme } from './style/theme.ts'
import './style/main.css'

applyTheme()
const root = document.getElementById('console')
if (root) {
  root.replaceChildren() // the frame, and what says that this script has not come
  render(<Layout />, root)
}
