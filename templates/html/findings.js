/** The list of findings: the worst first, a click leads to the node. */

function showFindings(app) {
  const { graph } = app;
  const place = byId('findings');
  if (!graph.marks) {
    place.hidden = true;
    return;
  }
  const marks = [...graph.marks].sort((a, b) => severityRank(a[1]) - severityRank(b[1]));
  const items = marks.slice(0, 200).map((mark) => {
    const [code, severity, message, [node], line, count, help] = mark;
    const times = count > 1 ? ` (${count.toLocaleString('en')} places)` : '';
    const where = line ? `line ${line.toLocaleString('en')} · ` : '';
    const jump = node !== undefined ? { onclick: () => app.goTo(node) } : { disabled: '' };
    return element(
      'li',
      {},
      element(
        'button',
        { type: 'button', class: 'finding', title: help, ...jump },
        element('b', { class: severity, text: `${{ error: 'E', warning: 'W', info: 'i' }[severity]} ${code}` }),
        element('span', { text: `${where}${message}${times}` }),
      ),
    );
  });
  if (marks.length > 200)
    items.push(element('li', { class: 'more', text: `… and ${(marks.length - 200).toLocaleString('en')} more` }));
  place.replaceChildren(
    element('h2', { text: `Findings (${marks.length.toLocaleString('en')})` }),
    marks.length ? element('ul', {}, ...items) : element('p', { class: 'hint', text: 'The rules found nothing.' }),
  );
}
