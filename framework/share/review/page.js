'use strict';
// One caption at a time. What a caption holds goes into text nodes alone.
const token = location.hash.slice(1);
const reasons = ['wrong object', 'wrong colour', 'wrong part or shape', 'wrong background',
  'made up', 'too vague', 'names the class', 'not about the picture', 'bad language'];
const mostUnsaved = 5;
const byId = id => document.getElementById(id);

let about = null;      // what the server says once
let todo = [];         // indices of the queue, as they were when it was opened
let at = 0;            // place in it
let shown = null;      // the item on the card
let since = 0;         // when it came there
let unsaved = 0;
let sending = Promise.resolve();
let stopped = false;   // the server could not store, or is gone
let decided = 0;       // since the page was opened
let firstAt = 0;
let editing = false;
let byPointer = false; // the last choice in a list was made without the keyboard
const items = new Map();   // index to a promise of what the server says of it
const photos = new Map();  // index to a promise of an object URL

async function ask(path, body) {
  const options = {headers: {'X-Espalier-Token': token}, cache: 'no-store'};
  if (body !== undefined) {
    options.method = 'POST';
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error((await answer.text()).slice(0, 300) || 'error ' + answer.status);
  return answer;
}
const askJson = async (path, body) => (await ask(path, body)).json();

function remember(map, key, make, most, drop) {
  if (!map.has(key)) {
    const made = make();
    map.set(key, made);
    made.catch(() => map.delete(key));
    for (const old of [...map.keys()].slice(0, Math.max(0, map.size - most))) {
      if (drop) map.get(old).then(drop, () => {});
      map.delete(old);
    }
  }
  return map.get(key);
}
const itemOf = index => remember(items, index, () => askJson('api/item/' + index), 60);
const photoOf = index => remember(photos, index, async () =>
  URL.createObjectURL(await (await ask('api/photo/' + index)).blob()), 12,
  url => URL.revokeObjectURL(url));

function complain(error) {
  const box = byId('message');
  box.textContent = error instanceof Error ? error.message : String(error);
  box.hidden = false;
}

// Marks that change the direction of a text or cannot be seen are shown as what they are.
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
function setCaption(node, text) {
  node.replaceChildren();
  node.classList.toggle('none', text === '');
  if (text === '') return void (node.textContent = '(no caption)');
  let from = 0;
  for (const found of text.matchAll(hidden)) {
    node.append(text.slice(from, found.index));
    const mark = document.createElement('span');
    mark.className = 'mark';
    mark.textContent = 'U+' + found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
    node.append(mark);
    from = found.index + found[0].length;
  }
  node.append(text.slice(from));
}

function said(decision) {
  const why = decision.reasons.length ? ' (' + decision.reasons.join(', ') + ')' : '';
  return decision.verdict + (decision.text ? ': ' + decision.text : '') + why;
}

async function show() {
  leaveEditor();
  const index = todo[at];
  const end = index === undefined;
  for (const id of ['accept', 'edit', 'reject', 'skip']) byId(id).disabled = end;
  byId('back').disabled = at === 0;
  byId('on').disabled = at >= todo.length;
  if (end) {
    shown = null;
    byId('photo').removeAttribute('src');
    byId('photo').alt = '';
    byId('place').textContent = '';
    byId('label').textContent = '';
    byId('caption').className = 'none';
    byId('caption').textContent = todo.length ? 'Nothing is left in this queue.' : 'This queue is empty.';
    byId('flags').replaceChildren();
    byId('own').hidden = byId('others').hidden = true;
    return;
  }
  let item;
  try { item = await itemOf(index); } catch (error) { return complain(error); }
  if (todo[at] !== index) return;
  shown = {...item, index};
  since = performance.now();
  setCaption(byId('caption'), item.text);
  byId('flags').replaceChildren(...item.flags.map(flag => {
    const entry = document.createElement('li');
    entry.textContent = flag;
    return entry;
  }));
  byId('place').textContent = (at + 1) + ' of ' + todo.length + ' · ' + item.id;
  showLabel();
  byId('own').hidden = !item.own;
  if (item.own) byId('own').textContent = 'You decided: ' + said(item.own);
  const disputed = byId('queue').value === 'disagreements' && item.others.length > 0;
  byId('others').hidden = !disputed;
  if (disputed) byId('others').textContent = 'Others: ' + item.others.map(said).join(' · ');
  for (const box of byId('reasons').querySelectorAll('input')) box.checked = false;
  byId('photo').alt = 'Picture ' + (at + 1) + ' of ' + todo.length;
  byId('photo').removeAttribute('src');
  photoOf(index).then(url => {
    if (todo[at] === index) byId('photo').src = url;
  }, complain);
  for (const next of [todo[at + 1], todo[at + 2]]) {
    if (next !== undefined) { itemOf(next).catch(() => {}); photoOf(next).catch(() => {}); }
  }
}

function showLabel() {
  const reveal = byId('reveal').checked && shown && shown.label >= 0;
  byId('label').textContent = reveal ? '· ' + about.classes[shown.label] : '';
}

function showSaved() {
  byId('saved').textContent = stopped ? 'NOT SAVED' : unsaved ? unsaved + ' to be saved' : decided ? 'Saved' : '';
}

const percent = share => (100 * share).toFixed(1).replace(/\.0$/, '');
// How well the score that sorts the least certain finds wrong captions, by the audit.
function showSorting(now) {
  const by = now.measure ? 'lowest ' + now.measure + ' first' : 'most flags first';
  const worth = now.auc === null ? '' : ', AUC ' + now.auc.toFixed(2) + ' in the audit';
  byId('sorting').textContent = byId('queue').value === 'uncertain' ? by + (now.measure ? worth : '') : '';
}

function showProgress(now) {
  const left = todo.length - Math.min(at, todo.length);
  byId('bar').value = todo.length ? at / todo.length : 1;
  byId('count').textContent = at + ' done here, ' + left + ' to go';
  const minutes = (performance.now() - firstAt) / 60000;
  byId('rate').textContent = decided > 1 ? (decided / Math.max(minutes, 1e-3)).toFixed(1) + ' a minute' : '';
  if (!now) return;
  showSorting(now);
  byId('estimate').textContent = now.looked_at === 0 ? 'no estimate yet: the random audit makes it' :
    'wrong: ' + percent(now.share) + ' % (' + percent(now.low) + ' to ' + percent(now.high) + ' %), of ' +
    now.looked_at + ' at random';
}

// Sends one after the other; the card is ahead by five at most.
function send(path, body) {
  unsaved += 1;
  showSaved();
  sending = sending.then(async () => {
    if (stopped) return null;
    try {
      const answer = await askJson(path, body);
      unsaved -= 1;
      showProgress(answer.audit);
      showSaved();
      return answer;
    } catch (error) {
      stopped = true;
      showSaved();
      complain(error.message + ' - the last ' + unsaved + ' are not saved; reload the page to go on.');
      return null;
    }
  });
  return sending;
}

function decide(verdict, text) {
  if (!shown || stopped) return;
  if (unsaved >= mostUnsaved) return complain('Waiting until the last decisions are saved.');
  byId('message').hidden = true;
  const chosen = [...byId('reasons').querySelectorAll('input:checked')].map(box => box.value);
  const decision = {index: shown.index, caption: shown.hash, verdict, reasons: chosen,
    ms: Math.round(performance.now() - since), queue: byId('queue').value};
  if (text !== undefined) decision.text = text;
  items.delete(shown.index);
  send('api/decide', decision);
  if (decided === 0) firstAt = performance.now();
  decided += 1;
  at += 1;
  showProgress();
  show();
}

function startEditor() {
  if (!shown || stopped) return;
  editing = true;
  byId('text').value = shown.own && shown.own.text ? shown.own.text : shown.text;
  byId('editor').hidden = false;
  byId('verdicts').hidden = true;
  byId('caption').hidden = true;
  byId('text').focus();
}
function leaveEditor() {
  editing = false;
  byId('editor').hidden = true;
  byId('verdicts').hidden = false;
  byId('caption').hidden = false;
  if (document.activeElement === byId('text')) byId('card').focus();
}
function saveEditor() {
  const text = byId('text').value.trim();
  if (text === '') return complain('A caption that is edited has a text; reject it to leave it without.');
  const same = text === shown.text;
  leaveEditor();
  decide(same ? 'accept' : 'edit', same ? undefined : text);
}

async function undo() {
  if (stopped) return;
  const answer = await send('api/undo', {});
  if (!answer) return;
  if (answer.index < 0) return complain('There is nothing to undo.');
  byId('message').hidden = true;
  items.delete(answer.index);
  const place = todo.indexOf(answer.index);
  if (place < 0) todo.splice(at, 0, answer.index); else at = place;
  decided = Math.max(0, decided - 1);
  showProgress(answer.audit);
  show();
}

function look(step) {
  const next = at + step;
  if (next < 0 || next > todo.length) return;
  at = next;
  showProgress();
  show();
}

async function openQueue() {
  const queue = byId('queue').value;
  byId('class-label').hidden = queue !== 'of_class';
  try {
    await sending;
    const label = queue === 'of_class' ? byId('class').value || '0' : '0';
    const answer = await askJson('api/queue/' + queue + '/' + label);
    todo = answer.items;
    at = 0;
    showProgress(answer.audit);
    await show();
    // Letters that are typed to choose from a list must not decide anything.
    if (byPointer || !(document.activeElement instanceof HTMLSelectElement)) byId('card').focus();
  } catch (error) { complain(error); }
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (editing) {
    if (event.key === 'Escape') { event.preventDefault(); leaveEditor(); }
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing &&
        event.target === byId('text')) {
      event.preventDefault();
      saveEditor();
    }
    return;
  }
  if (byId('help').open) return;
  if (event.target instanceof HTMLSelectElement) {
    byPointer = false;
    if (event.key === 'Escape' || event.key === 'Enter') {
      event.preventDefault();
      byId('card').focus();
    }
    return;
  }
  const keys = {a: () => decide('accept'), r: () => decide('reject'), e: startEditor,
    s: () => decide('skip'), u: undo, ArrowLeft: () => look(-1), ArrowRight: () => look(1),
    '/': () => byId('queue').focus(), '?': () => byId('help').showModal(),
    c: () => byId('reveal').click()};
  const number = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
  const act = number ? () => byId('reason-' + number).click() : keys[event.key];
  if (!act || event.repeat) return;
  event.preventDefault();
  act();
}

function fillReasons() {
  reasons.forEach((reason, i) => {
    const label = document.createElement('label');
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.id = 'reason-' + (i + 1);
    box.value = reason;
    const key = document.createElement('kbd');
    key.textContent = i + 1;
    label.append(box, ' ' + reason + ' ', key);
    byId('reasons').append(label);
  });
}

async function start() {
  fillReasons();
  document.addEventListener('keydown', onKey);
  const clicks = {accept: () => decide('accept'), reject: () => decide('reject'), edit: startEditor,
    skip: () => decide('skip'), undo, back: () => look(-1), on: () => look(1), save: saveEditor,
    leave: leaveEditor, 'help-button': () => byId('help').showModal(),
    'help-close': () => byId('help').close()};
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener('click', act);
  for (const list of [byId('queue'), byId('class')]) {
    list.addEventListener('change', openQueue);
    list.addEventListener('pointerdown', () => { byPointer = true; });
  }
  byId('reveal').addEventListener('change', showLabel);
  window.addEventListener('beforeunload', event => { if (unsaved && !stopped) event.preventDefault(); });
  try {
    about = await askJson('api/about');
  } catch (error) {
    return complain(token ? error : 'Open the whole link that espalier printed: its end lets you in.');
  }
  document.title = about.reviewer + ' reviews ' + about.name;
  byId('class').replaceChildren(...about.classes.map((name, i) => new Option(name, i)));
  await openQueue();
}
start();
