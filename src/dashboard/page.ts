/** How often a page asks for new figures, wall milliseconds. */
const REFRESH_WALL_MS = 2000

/** The page of every path: a frame that {@link PAGE_SCRIPT} fills from the JSON of the same path below `/api`. */
export const PAGE_HTML: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>rollout-twin</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/dashboard.css">
<script type="module" src="/assets/dashboard.js"></script>
</head>
<body>
<header><nav aria-label="Pages above"><ol id="trail"></ol></nav></header>
<main aria-busy="true">
<h1 id="heading">Loading …</h1>
<p id="problem" role="alert" hidden></p>
<div id="tables"></div>
<noscript><p>This page fills itself from <code>/api</code> and needs JavaScript; <code>linkerd stat</code> does not.</p></noscript>
</main>
<footer><p>rollout-twin · figures of the last simulated minute · asked again every ${REFRESH_WALL_MS / 1000} s</p></footer>
</body>
</html>
`

/** Colours have a contrast of at least 4.5:1 on their background, light and dark. */
export const PAGE_STYLE: string = `:root{color-scheme:light dark;--text:#1c1f23;--ground:#fff;--line:#d4d8dd;--soft:#545b64;--link:#0b57a4;--good:#136c2e;--fair:#7a4f00;--bad:#b3261e;--bar:#9db8d6}
@media(prefers-color-scheme:dark){:root{--text:#e4e6e9;--ground:#15181c;--line:#3a4048;--soft:#a5adb6;--link:#8ab8f0;--good:#73d18b;--fair:#f0b95b;--bad:#ff8f85;--bar:#3b5c82}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground);margin:1.5rem auto;max-width:72rem;padding:0 1rem}
h1{font-size:1.4rem;margin:.3rem 0 1rem}a{color:var(--link)}a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
ol{display:flex;flex-wrap:wrap;gap:.4rem;list-style:none;margin:0;padding:0;min-height:1.5rem}ol li+li::before{content:"/";color:var(--soft);margin-right:.4rem}
#tables{overflow-x:auto}#tables.old{opacity:.6}
table{border-collapse:collapse;width:100%;margin:0 0 2rem}caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{text-align:right;padding:.35rem .75rem;border-bottom:1px solid var(--line);white-space:nowrap;font-variant-numeric:tabular-nums}
th:first-child{text-align:left}thead th{color:var(--soft);font-weight:500}tbody th{font-weight:500}
.word{text-align:left}td.none{text-align:left;color:var(--soft)}.good{color:var(--good)}.fair{color:var(--fair)}.bad{color:var(--bad);font-weight:600}
.bar{display:inline-block;width:6rem;height:.6rem;margin-left:.5rem;border:1px solid var(--line)}.bar span{display:block;height:100%;background:var(--bar)}
#problem{border-left:4px solid var(--bad);padding:.4rem .8rem}footer{color:var(--soft);font-size:.85rem}
`

/** Builds the tables once and afterwards changes only the texts that differ, so that a selection or a focus stays. */
export const PAGE_SCRIPT: string = `const at = (id) => document.getElementById(id)
const make = (name, text, className) => {
  const element = document.createElement(name)
  if (text !== undefined) element.textContent = text
  if (className !== undefined) element.className = className
  return element
}
const link = (text, href) => {
  const element = make('a', text)
  element.href = href
  return element
}
function fillCell(element, cell, word) {
  element.className = cell.tone ?? (word ? 'word' : '')
  element.replaceChildren(cell.href === undefined ? cell.text : link(cell.text, cell.href))
  if (cell.percent === undefined) return
  const bar = make('span', undefined, 'bar')
  bar.setAttribute('aria-hidden', 'true')
  const inner = make('span')
  inner.style.width = cell.percent + '%'
  bar.append(inner)
  element.append(bar)
}
const isWord = (cell) => /^[a-z]/i.test(cell.text)
function buildTable(table) {
  const element = make('table')
  element.append(make('caption', table.caption))
  const head = make('tr')
  table.columns.forEach((column, index) => {
    const cell = make('th', column, table.rows.length > 0 && isWord(table.rows[0][index]) ? 'word' : undefined)
    cell.scope = 'col'
    head.append(cell)
  })
  const headGroup = make('thead')
  headGroup.append(head)
  const body = make('tbody')
  if (table.rows.length === 0) {
    const cell = make('td', table.empty, 'none')
    cell.colSpan = table.columns.length
    const row = make('tr')
    row.append(cell)
    body.append(row)
  }
  for (const cells of table.rows) {
    const row = make('tr')
    cells.forEach((cell, index) => {
      const element = make(index === 0 ? 'th' : 'td')
      if (index === 0) element.scope = 'row'
      fillCell(element, cell, isWord(cell))
      row.append(element)
    })
    body.append(row)
  }
  element.append(headGroup, body)
  return element
}
const shapeOf = (view) => JSON.stringify([view.trail, view.tables.map((table) => table.rows.map((row) => row[0]))])
let shown
function show(view) {
  document.title = view.heading + ' – rollout-twin'
  at('heading').textContent = view.heading
  if (shown === undefined || shapeOf(shown) !== shapeOf(view)) {
    at('trail').replaceChildren(
      ...view.trail.map((step) => {
        const item = make('li')
        item.append(link(step.text, step.href))
        return item
      })
    )
    at('tables').replaceChildren(...view.tables.map(buildTable))
  } else {
    view.tables.forEach((table, index) => {
      const rows = at('tables').children[index].tBodies[0].rows
      table.rows.forEach((cells, line) =>
        cells.forEach((cell, column) => {
          const before = JSON.stringify(shown.tables[index].rows[line][column])
          if (before !== JSON.stringify(cell)) fillCell(rows[line].cells[column], cell, isWord(cell))
        })
      )
    })
  }
  shown = view
}
function complain(message) {
  at('problem').hidden = message === undefined
  // Written only when it differs: a screen reader says an alert each time it is written.
  if (at('problem').textContent !== (message ?? '')) at('problem').textContent = message ?? ''
  at('tables').classList.toggle('old', message !== undefined)
  if (message !== undefined && shown === undefined) at('heading').textContent = 'Nothing to show'
}
async function refresh() {
  try {
    const answer = await fetch('/api' + location.pathname)
    const body = await answer.json()
    if (answer.ok) show(body)
    complain(answer.ok ? undefined : body.error)
  } catch {
    complain('The dashboard does not answer: has linkerd dashboard ended?')
  }
  document.querySelector('main').setAttribute('aria-busy', 'false')
  setTimeout(refresh, ${REFRESH_WALL_MS})
}
refresh()
`
