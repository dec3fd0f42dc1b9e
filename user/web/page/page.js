// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Asks for /api/overview again and again, and shows it. What comes from
// definitions is text, and becomes nothing else.
'use strict';

const EVERY_MS = 1500;
const at = (id) => document.getElementById(id);
let last = null;		// the overview before
let lost = null;		// since when nobody answers

function element(name, text, ...classes) {
	const e = document.createElement(name);

	if (text !== undefined)
		e.textContent = text;
	e.classList.add(...classes.filter((c) => /^[A-Za-z_]+$/.test(c)));
	return e;
}

function row(...cells) {
	const r = element('tr');

	r.append(...cells);
	return r;
}

const number = (n) => Math.round(n).toLocaleString('en').replaceAll(',', ' ');

function short(n) {
	const units = ['', ' k', ' M', ' G', ' T'];
	let i = 0;

	for (; n >= 1000 && i < units.length - 1; i++)
		n /= 1000;
	return (n < 10 && i ? n.toFixed(1) : Math.round(n)) + units[i];
}

function age(s) {
	if (s < 120)
		return `${Math.max(s, 0)} s`;
	if (s < 7200)
		return `${Math.floor(s / 60)} min`;
	return s < 172800 ? `${Math.floor(s / 3600)} h` :
			    `${Math.floor(s / 86400)} d`;
}

// What grew between two overviews, in a second. A counter that is less than it
// was began anew.
function rate(is, was, seconds) {
	return was === undefined || is < was || seconds <= 0 ? 0 :
	       (is - was) / seconds;
}

function index(overview) {
	const ret = { backends: new Map(), reasons: new Map() };

	for (const s of overview ? overview.services : [])
		for (const b of s.backends)
			ret.backends.set(`${s.name}\n${b.address}`, b);
	for (const r of overview ? overview.reasons : [])
		ret.reasons.set(r.name, r);
	return ret;
}

// What checks say of a backend, if it has some.
function join(o) {
	const key = (service, address) => `${service}\n${address}`;
	const checks = new Map(o.checks.backends.map((c) => [key(c.service, c.backend), c]));

	for (const s of o.services)
		for (const b of s.backends)
			b.check = checks.get(key(s.name, b.address));
}

function problems(o) {
	const found = [];

	if (o.status.shadow)
		found.push('a shadow: nothing is attached, and no packet is served');
	else if (!o.attached.length && o.services.length)
		found.push('nothing is attached: no packet is served');
	if (o.status.error)
		found.push(o.status.error);
	found.push(...o.status.hints);
	for (const s of o.services) {
		const up = s.backends.filter((b) => b.state === 'active' && b.weight);

		if (s.backends.length && !up.length)
			found.push(`${s.name}: no backend takes new connections`);
		for (const b of s.backends)
			if (b.state === 'down' || b.check?.health === 'down')
				found.push(`${s.name}: ${b.address} is down` +
					   (b.check ? `: ${b.check.why}` : ''));
	}
	return found;
}

function showState(o, found) {
	const isBad = Boolean(o.status.error || o.status.shadow || !o.attached.length);
	const text = isBad ? 'not all that is wanted is served' :
		     found.length ? 'serves; see below' : 'all is well';

	at('state').textContent = text;
	at('state').className = `state ${isBad ? 'bad' : found.length ? 'some' : 'good'}`;
	document.title = found.length ? `(${found.length}) Fairlead` : 'Fairlead';
	at('facts').textContent = `version ${o.version}, running ` +
		`${age(Math.round(o.now_ms / 1000) - o.status.since)}, ` +
		`definitions: generation ${o.status.generation}`;
	at('wrong').hidden = !found.length;
	at('wrong').className = isBad ? 'bad' : '';
	at('problems').replaceChildren(...found.slice(0, 50).map((t) => element('li', t)));
}

function figure(value, text, isBad) {
	const f = element('div', undefined, 'figure');

	f.append(element('b', value), element('span', text));
	if (isBad)
		f.classList.add('bad');
	return f;
}

function showFigures(o, was, seconds) {
	const of = (verdict, what) => o.reasons
		.filter((r) => r.verdict === verdict)
		.reduce((sum, r) => sum + rate(r[what], was.reasons.get(r.name)?.[what], seconds), 0);
	const all = o.services.flatMap((s) => s.backends);
	const up = all.filter((b) => b.state === 'active').length;
	const isFirst = !last;
	const show = (n) => isFirst ? '–' : short(n);

	at('figures').replaceChildren(
		figure(show(of('FORWARD', 'packets')), 'packets/s forwarded'),
		figure(show(8 * of('FORWARD', 'bytes')), 'bit/s'),
		figure(show(of('DROP', 'packets')), 'packets/s dropped', of('DROP', 'packets') > 0),
		figure(number(o.services.length), 'services'),
		figure(`${number(up)} / ${number(all.length + o.left_out)}`, 'backends active'));
}

function backendRow(s, b, was, seconds, most) {
	const before = was.backends.get(`${s.name}\n${b.address}`);
	const of = (what) => rate(b[what], before?.[what], seconds);
	const state = element('td');
	const share = element('td', undefined, 'share');
	const meter = element('meter');

	state.append(element('span', undefined, 'dot', b.state),
		     `${b.state}${b.by_hand ? ', by hand' : ''}`);
	if (b.check)
		state.append(element('span', `${b.check.health}, ${b.check.why}`, 'why'));
	meter.max = most || 1;
	meter.value = of('packets');
	share.append(meter);
	return row(element('td', b.address, 'address'), state,
		   element('td', age(b.since_s), 'n'),
		   element('td', b.weight, 'n'),
		   element('td', short(of('packets')), 'n'),
		   element('td', short(8 * of('bytes')), 'n'),
		   element('td', short(of('connections')), 'n'), share);
}

function serviceBody(s, backends, was, seconds) {
	const body = element('tbody', undefined, 'service');
	const title = element('td');
	const fronts = s.fronts.slice(0, 3).join(', ') + (s.fronts.length > 3 ? ' ...' : '');
	const of = (b) => rate(b.packets, was.backends.get(`${s.name}\n${b.address}`)?.packets, seconds);
	const most = Math.max(0, ...s.backends.map(of));

	title.colSpan = 8;
	title.append(element('span', s.name, 'name'),
		     element('span', `${fronts}  ${s.forward}, ${s.algorithm}`, 'front'));
	body.append(row(title), ...backends.map((b) => backendRow(s, b, was, seconds, most)));
	return body;
}

// Those that a filter finds, by what stands in their lines.
function chosen(s, words) {
	const has = (text) => words.every((w) => text.toLowerCase().includes(w));
	const head = `${s.name} ${s.fronts.join(' ')}`;

	return has(head) ? s.backends :
	       s.backends.filter((b) => has(`${head} ${b.address} ${b.state}`));
}

const ROWS_MAX = 1500;

function showServices(o, was, seconds) {
	const words = at('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
	const bodies = [];
	let rows = 0, left = o.left_out;

	for (const s of o.services) {
		const backends = chosen(s, words);

		if (words.length && !backends.length)
			continue;
		if (rows + backends.length > ROWS_MAX) {
			left += backends.length;
			continue;
		}
		rows += backends.length;
		bodies.push(serviceBody(s, backends, was, seconds));
	}
	at('services').replaceChildren(at('services').tHead, ...bodies);
	at('more').textContent = left ? `and ${number(left)} backends more` : '';
}

function showReasons(o, was, seconds) {
	const of = (r) => rate(r.packets, was.reasons.get(r.name)?.packets, seconds);
	const sorted = [...o.reasons].sort((a, b) => of(b) - of(a) || b.packets - a.packets);
	const rows = sorted.map((r) => {
		const name = element('td');

		name.append(element('span', r.name, r.verdict), element('br'),
			    element('span', r.text, 'meaning'));
		return row(name, element('td', r.verdict.toLowerCase(), 'meaning'),
			   element('td', short(of(r)), 'n'),
			   element('td', number(r.packets), 'n'));
	});

	at('reasons').tBodies[0].replaceChildren(...rows);
}

// Of the small ones, those that are about to be full.
const MAIN = ['connections', 'services', 'backends', 'slots'];

function showMaps(o) {
	const maps = o.maps.filter((m) => MAIN.includes(m.name) || 2 * m.used > m.max);

	at('maps').tBodies[0].replaceChildren(...maps.map((m) => {
		const fill = element('td', undefined, 'fill');
		const meter = element('meter');

		meter.max = m.max || 1;
		meter.high = 0.9 * meter.max;
		meter.value = m.used;
		fill.append(meter);
		return row(element('td', m.name), fill,
			   element('td', `${short(m.used)} of ${short(m.max)}`, 'n'));
	}));
	at('attached').tBodies[0].replaceChildren(...o.attached.map((a) =>
		row(element('td', a.interface), element('td', a.program),
		    element('td', a.mechanism, 'meaning'))));
}

function show(o) {
	join(o);
	const seconds = last ? (o.now_ms - last.now_ms) / 1000 : 0;
	const was = index(last);

	showState(o, problems(o));
	showFigures(o, was, seconds);
	showServices(o, was, seconds);
	showReasons(o, was, seconds);
	showMaps(o);
}

function showLost() {
	lost ??= Date.now();
	at('state').textContent = 'does not answer for ' +
		`${age(Math.round((Date.now() - lost) / 1000))}: what is below is old`;
	at('state').className = 'state bad';
}

async function ask() {
	try {
		const answer = await fetch('api/overview', { cache: 'no-store' });

		if (!answer.ok)
			throw new Error(answer.statusText);
		const o = await answer.json();

		lost = null;
		if (o.now_ms !== last?.now_ms) {	// else it is the same one
			show(o);
			last = o;
		}
	} catch (e) {
		showLost();
	}
	setTimeout(ask, EVERY_MS);
}

at('filter').addEventListener('input', () => last && showServices(last, index(last), 0));
ask();
