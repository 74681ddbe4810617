//! Where the steps of a flow stand on its drawing: in layers from left to right, each step to the right of those that it
//! waits for (Sugiyama's method). Steps that somebody has placed stay there. How it looks is not decided here.

use super::Placement;

/// The width of a step.
pub const STEP_WIDTH: i32 = 192;
/// The height of a step.
pub const STEP_HEIGHT: i32 = 48;

/// From a layer to the next.
const LAYER_WIDTH: i32 = STEP_WIDTH + 64;
/// Between steps of a layer.
const GAP: i32 = 16;
/// The height of what a line needs to pass between steps.
const BEND_HEIGHT: i32 = 4;
/// A taller drawing is not centred.
const TALL: i32 = 480;
/// The farthest that a step can be placed from the origin, so that sums stay within their type.
const FARTHEST: i32 = 1_000_000;

/// The most bends in a drawing; lines that would need more go straight.
const MAX_BENDS: usize = 20_000;
/// How often the layers are gone through to find an order with fewer crossings, at most.
const MAX_SWEEPS: usize = 12;
/// How often the layers are gone through to make lines straight, at most.
const MAX_STRAIGHTENINGS: usize = 6;
/// The most lines to look at for each of the two, in all rounds together; there is a round in any case.
const MAX_LOOKS: usize = 150_000;

/// A step to lay out.
#[derive(Debug, Clone, Copy)]
pub struct LayoutStep<'a> {
    /// The steps that it waits for, by their index.
    pub runs_after: &'a [usize],
    /// Where it was placed.
    pub placement: Option<Placement>,
}

/// A drawing of steps and lines between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Each step's upper left corner.
    pub steps: Vec<Placement>,
    /// What connects them.
    pub lines: Vec<Line>,
    /// The upper left corner of all.
    pub origin: Placement,
    /// The width of all.
    pub width: i32,
    /// The height of all.
    pub height: i32,
}

/// A line, or a piece of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Where it begins.
    pub from: Placement,
    /// Where it ends.
    pub to: Placement,
    /// From its end it goes straight on to the right, up to here: past the steps above and below.
    pub reach: i32,
    /// The step that it comes from, at its beginning or farther back.
    pub source: usize,
    /// The step at its end; `None` where it only bends.
    pub into: Option<usize>,
    /// The line that it goes on from, which comes before it; `None` when it begins at the step.
    pub continues: Option<usize>,
}

/// Lays out steps. Waiting for a step that is not there means nothing; of steps that wait for each other in a circle, the
/// first stands as if it did not.
#[must_use]
pub fn lay_out(steps: &[LayoutStep<'_>]) -> Layout {
    let before: Vec<Vec<usize>> = steps.iter().map(|step| known_once(step.runs_after, steps.len())).collect();
    let mut layers = Layers::of(&before);
    layers.reduce_crossings();
    let middles = layers.middles();
    if steps.iter().all(|step| step.placement.is_none()) {
        let places = layers.places(&middles);
        let lines = layers.lines(&middles);
        return Layout::around(places, lines);
    }
    let places = keep_placed(&layers.places(&middles), steps);
    let ends = before.iter().enumerate().flat_map(|(into, before)| before.iter().map(move |from| (*from, into)));
    let lines = ends.map(|(from, into)| Line::straight(&places, from, into)).collect();
    Layout::around(places, lines)
}

impl Layout {
    fn around(steps: Vec<Placement>, lines: Vec<Line>) -> Self {
        // Lines may pass above the topmost step.
        let corners = || steps.iter().copied().chain(lines.iter().map(|line| line.to));
        let origin = Placement {
            x: steps.iter().map(|step| step.x).min().unwrap_or(0),
            y: corners().map(|corner| corner.y).min().unwrap_or(0),
        };
        let right = steps.iter().map(|step| step.x + STEP_WIDTH).max().unwrap_or(0);
        let steps_bottom = steps.iter().map(|step| step.y + STEP_HEIGHT).max();
        let bottom = steps_bottom.into_iter().chain(lines.iter().map(|line| line.to.y)).max().unwrap_or(0);
        Self { steps, lines, origin, width: right - origin.x, height: bottom - origin.y }
    }

    /// The connections: from which step, into which, and the lines from the one to the other.
    pub fn connections(&self) -> impl Iterator<Item = (usize, usize, Vec<Line>)> {
        self.lines.iter().filter_map(|last| {
            let mut way = vec![*last];
            let mut before = last.continues;
            while let Some(line) = before.and_then(|index| self.lines.get(index)) {
                way.push(*line);
                before = line.continues;
            }
            way.reverse();
            Some((last.source, last.into?, way))
        })
    }
}

impl Line {
    /// From one step to another, wherever they stand.
    #[must_use]
    pub fn straight(places: &[Placement], source: usize, into: usize) -> Self {
        let (from, to, middle) = (places[source], places[into], STEP_HEIGHT / 2);
        Self {
            from: Placement { x: from.x + STEP_WIDTH, y: from.y + middle },
            to: Placement { x: to.x, y: to.y + middle },
            reach: to.x,
            source,
            into: Some(into),
            continues: None,
        }
    }
}

/// A direction to go in from one step to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

impl Direction {
    /// What is so far ahead, and so far aside, of where another place is.
    fn seen(self, from: Placement, to: Placement) -> (i32, i32) {
        let (right, down) = (to.x - from.x, to.y - from.y);
        match self {
            Self::Left => (-right, down.abs()),
            Self::Right => (right, down.abs()),
            Self::Up => (-down, right.abs()),
            Self::Down => (down, right.abs()),
        }
    }

    /// A place so far in this direction.
    #[must_use]
    pub fn moved(self, Placement { x, y }: Placement, by: i32) -> Placement {
        match self {
            Self::Left => Placement { x: x.saturating_sub(by), y },
            Self::Right => Placement { x: x.saturating_add(by), y },
            Self::Up => Placement { x, y: y.saturating_sub(by) },
            Self::Down => Placement { x, y: y.saturating_add(by) },
        }
    }
}

/// The step that is nearest to another one in a direction, if there is any; what lies aside counts as farther away.
#[must_use]
pub fn nearest(places: &[Placement], from: usize, direction: Direction) -> Option<usize> {
    let distance = |(index, place): (usize, &Placement)| {
        let (ahead, aside) = direction.seen(places[from], *place);
        (ahead > 0).then_some((i64::from(ahead) + 2 * i64::from(aside), index))
    };
    places.iter().enumerate().filter_map(distance).min().map(|(_, index)| index)
}

/// Those of the indices that are below a count, each once.
fn known_once(indices: &[usize], count: usize) -> Vec<usize> {
    let mut known: Vec<usize> = indices.iter().copied().filter(|index| *index < count).collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// The layer of each step: one more than the highest of those that it waits for.
fn layers_of(before: &[Vec<usize>]) -> Vec<usize> {
    let mut left: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut after = vec![Vec::new(); before.len()];
    for (step, before) in before.iter().enumerate() {
        for earlier in before {
            after[*earlier].push(step);
        }
    }
    let mut layers: Vec<usize> = vec![0; before.len()];
    let mut is_done = vec![false; before.len()];
    let mut ready: Vec<usize> = (0..before.len()).filter(|step| left[*step] == 0).collect();
    // Once none is ready, all that are left wait for each other, or for such: then the first of them is taken.
    let mut next_left = 0;
    loop {
        while is_done.get(next_left) == Some(&true) {
            next_left += 1;
        }
        let Some(step) = ready.pop().or_else(|| (next_left < before.len()).then_some(next_left)) else {
            break;
        };
        if std::mem::replace(&mut is_done[step], true) {
            continue;
        }
        for later in after[step].iter().copied().filter(|later| *later != step) {
            if !is_done[later] {
                layers[later] = layers[later].max(layers[step] + 1);
            }
            left[later] = left[later].saturating_sub(1);
            if left[later] == 0 {
                ready.push(later);
            }
        }
    }
    layers
}

/// Steps and bends in layers. An item is a step, by its index, or, above these, a bend: where the lines of one step pass
/// a layer on their way to later ones, all together.
struct Layers {
    /// How many of the items are steps.
    steps: usize,
    /// The layer of each item.
    layer: Vec<usize>,
    /// The items of each layer, from top to bottom.
    order: Vec<Vec<usize>>,
    /// Each item's neighbours in the layer before.
    before: Vec<Vec<usize>>,
    /// Each item's neighbours in the layer after.
    after: Vec<Vec<usize>>,
    /// What is connected past the layers in between: from and to.
    straight: Vec<(usize, usize)>,
}

/// To which side one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Layers {
    /// Puts steps into layers; `before` has, for each, those that it waits for.
    fn of(before: &[Vec<usize>]) -> Self {
        let layer = layers_of(before);
        let count = layer.iter().max().map_or(0, |last| last + 1);
        let mut layers = Self {
            steps: before.len(),
            order: vec![Vec::new(); count],
            before: vec![Vec::new(); before.len()],
            after: vec![Vec::new(); before.len()],
            layer,
            straight: Vec::new(),
        };
        for step in 0..layers.steps {
            layers.order[layers.layer[step]].push(step);
        }
        let mut targets = vec![Vec::new(); layers.steps];
        for (step, before) in before.iter().enumerate() {
            for earlier in before {
                targets[*earlier].push(step);
            }
        }
        for (step, mut targets) in targets.into_iter().enumerate() {
            targets.sort_by_key(|target| layers.layer[*target]);
            layers.connect(step, &targets);
        }
        layers
    }

    /// Connects a step with those after it, nearer ones first.
    fn connect(&mut self, step: usize, targets: &[usize]) {
        let first = self.layer[step] + 1;
        let last = targets.last().map_or(0, |target| self.layer[*target]);
        let has_room = self.layer.len() - self.steps + last.saturating_sub(first) <= MAX_BENDS;
        // The item at the end of the step's line so far, and its layer.
        let (mut end, mut end_layer) = (step, self.layer[step]);
        for target in targets {
            let layer = self.layer[*target];
            if layer < first || (layer > first && !has_room) {
                self.straight.push((step, *target));
                continue;
            }
            while end_layer + 1 < layer {
                end_layer += 1;
                let bend = self.layer.len();
                self.layer.push(end_layer);
                self.order[end_layer].push(bend);
                self.before.push(Vec::new());
                self.after.push(Vec::new());
                self.join(end, bend);
                end = bend;
            }
            self.join(end, *target);
        }
    }

    fn join(&mut self, from: usize, to: usize) {
        self.after[from].push(to);
        self.before[to].push(from);
    }

    fn neighbours(&self, item: usize, side: Side) -> &[usize] {
        match side {
            Side::Before => &self.before[item],
            Side::After => &self.after[item],
        }
    }

    /// Orders each layer so that few lines cross: each item at the mean place of its neighbours, forth and back.
    fn reduce_crossings(&mut self) {
        let mut best: Option<(u64, Vec<Vec<usize>>)> = None;
        let mut places = vec![0; self.layer.len()];
        (0..self.order.len()).for_each(|layer| self.note_places(layer, &mut places));
        for sweep in 0..self.rounds(MAX_SWEEPS) {
            if sweep % 2 == 0 {
                (1..self.order.len()).for_each(|layer| self.sort_layer(layer, Side::Before, &mut places));
            } else {
                let layers = 0..self.order.len().saturating_sub(1);
                layers.rev().for_each(|layer| self.sort_layer(layer, Side::After, &mut places));
            }
            let crossings = self.crossings();
            if best.as_ref().is_none_or(|(least, _)| crossings < *least) {
                best = Some((crossings, self.order.clone()));
            }
            if crossings == 0 {
                break;
            }
        }
        if let Some((_, order)) = best {
            self.order = order;
        }
    }

    /// How many rounds there is time for.
    fn rounds(&self, most: usize) -> usize {
        let lines: usize = self.after.iter().map(Vec::len).sum();
        (MAX_LOOKS / (lines + 1)).clamp(1, most)
    }

    /// Sorts a layer by the mean place of each item's neighbours. What has none stays where it is.
    fn sort_layer(&mut self, layer: usize, side: Side, places: &mut [u64]) {
        /// A mean is counted in these parts of a place.
        const PARTS: u64 = 1024;
        let mean = |item: &usize| {
            let neighbours = self.neighbours(*item, side);
            let sum: u64 = neighbours.iter().map(|neighbour| places[*neighbour]).sum();
            if neighbours.is_empty() { places[*item] * PARTS } else { sum * PARTS / wide(neighbours.len()) }
        };
        let mut keyed: Vec<(u64, usize)> = self.order[layer].iter().map(|item| (mean(item), *item)).collect();
        keyed.sort_by_key(|(key, _)| *key);
        self.order[layer] = keyed.into_iter().map(|(_, item)| item).collect();
        self.note_places(layer, places);
    }

    /// Notes the place of each item of a layer, by item.
    fn note_places(&self, layer: usize, places: &mut [u64]) {
        for (place, item) in (0_u64..).zip(&self.order[layer]) {
            places[*item] = place;
        }
    }

    /// How many pairs of lines between neighbouring layers cross.
    fn crossings(&self) -> u64 {
        let mut crossings = 0;
        let mut place = vec![0_usize; self.layer.len()];
        for layer in &self.order {
            for (index, item) in layer.iter().enumerate() {
                place[*item] = index;
            }
        }
        for pair in self.order.windows(2) {
            let mut ends: Vec<usize> = Vec::new();
            for item in &pair[0] {
                let from = ends.len();
                ends.extend(self.after[*item].iter().map(|next| place[*next]));
                ends[from..].sort_unstable();
            }
            crossings += inversions(&ends, pair[1].len());
        }
        crossings
    }

    fn is_step(&self, item: usize) -> bool {
        item < self.steps
    }

    fn height(&self, item: usize) -> i32 {
        if self.is_step(item) { STEP_HEIGHT } else { BEND_HEIGHT }
    }

    /// The least distance of the middles of two items, one right above the other.
    fn distance(&self, upper: usize, lower: usize) -> i32 {
        i32::midpoint(self.height(upper), self.height(lower)) + GAP
    }

    /// How far down the middle of each item is, so that lines are as straight as the order allows.
    fn middles(&self) -> Vec<i32> {
        let mut middles = vec![0; self.layer.len()];
        let mut tallest = 0;
        for layer in &self.order {
            let mut middle = 0;
            for (index, item) in layer.iter().enumerate() {
                middle += if index == 0 { 0 } else { self.distance(layer[index - 1], *item) };
                middles[*item] = middle;
            }
            tallest = tallest.max(middle);
        }
        // A tall drawing is scrolled: it begins at its top, where it is seen, and goes on beside that.
        let is_tall = tallest + STEP_HEIGHT > TALL;
        for _ in 0..if is_tall { 1 } else { self.rounds(MAX_STRAIGHTENINGS) } {
            for layer in 1..self.order.len() {
                self.straighten(layer, Side::Before, is_tall, tallest, &mut middles);
            }
            if !is_tall {
                for layer in (0..self.order.len().saturating_sub(1)).rev() {
                    self.straighten(layer, Side::After, is_tall, tallest, &mut middles);
                }
            }
        }
        let top = (0..self.steps).map(|step| middles[step]).min().unwrap_or(0) - STEP_HEIGHT / 2;
        middles.iter().map(|middle| middle - top).collect()
    }

    /// Moves the items of a layer towards their neighbours at a side. It grows no higher than the tallest layer has to be.
    fn straighten(&self, layer: usize, side: Side, is_tall: bool, tallest: i32, middles: &mut [i32]) {
        let ideal = |item: usize| {
            let neighbours = self.neighbours(item, side).iter().map(|neighbour| middles[*neighbour]);
            match (neighbours.len(), is_tall) {
                (0, _) => middles[item],
                (_, true) => neighbours.min().unwrap_or(0),
                (count, false) => neighbours.sum::<i32>() / narrow(count),
            }
        };
        // How far down each item is when all are as high as they can be.
        let mut highest: Vec<(usize, i32)> = Vec::with_capacity(self.order[layer].len());
        for item in &self.order[layer] {
            let down = highest.last().map_or(0, |(above, down)| down + self.distance(*above, *item));
            highest.push((*item, down));
        }
        let room = highest.last().map_or(0, |(_, lowest)| tallest - lowest);
        // By how much each is to be further down than that: these have to grow.
        let wish = |(item, highest): &(usize, i32)| {
            // A crooked step is seen less than a crooked line.
            ((ideal(*item) - highest).clamp(0, room), if self.is_step(*item) { 1 } else { 4 })
        };
        let distances: Vec<(i32, i32)> = highest.iter().map(wish).collect();
        let growing = if is_tall { pushed_down(&distances) } else { nearest_growing(&distances) };
        for ((item, highest), down) in highest.into_iter().zip(growing) {
            middles[item] = highest + down;
        }
    }

    /// Where the steps' upper left corners are.
    fn places(&self, middles: &[i32]) -> Vec<Placement> {
        let place = |step: usize| Placement { x: self.left(step), y: middles[step] - STEP_HEIGHT / 2 };
        (0..self.steps).map(place).collect()
    }

    fn left(&self, item: usize) -> i32 {
        narrow(self.layer[item]) * LAYER_WIDTH
    }

    fn lines(&self, middles: &[i32]) -> Vec<Line> {
        let joined = self.after.iter().enumerate().flat_map(|(from, after)| after.iter().map(move |to| (from, *to)));
        // The line into each bend, and the step that it comes from: a bend has one, which comes before those out of it.
        let mut into_bend: Vec<Option<(usize, usize)>> = vec![None; self.layer.len()];
        let line = |(index, (from, to)): (usize, (usize, usize))| {
            let end = Placement { x: self.left(to), y: middles[to] };
            let (continues, source) = into_bend[from].unzip();
            let source = source.unwrap_or(from);
            if !self.is_step(to) {
                into_bend[to] = Some((index, source));
            }
            Line {
                from: Placement { x: self.left(from) + STEP_WIDTH, y: middles[from] },
                to: end,
                reach: if self.is_step(to) { end.x } else { end.x + STEP_WIDTH },
                source,
                into: self.is_step(to).then_some(to),
                continues,
            }
        };
        joined.chain(self.straight.iter().copied()).enumerate().map(line).collect()
    }
}

/// How many pairs stand in the wrong order; all numbers are below `limit`.
fn inversions(numbers: &[usize], limit: usize) -> u64 {
    // A binary indexed tree: how many of the numbers so far are at most so large.
    let mut tree = vec![0_u64; limit + 1];
    let mut inversions = 0;
    for (seen, number) in (0_u64..).zip(numbers) {
        let mut not_larger = 0;
        let mut index = number + 1;
        while index > 0 {
            not_larger += tree[index];
            index &= index - 1;
        }
        inversions += seen - not_larger;
        let mut index = number + 1;
        while index <= limit {
            tree[index] += 1;
            index += index & index.wrapping_neg();
        }
    }
    inversions
}

/// The growing numbers that are nearest to wishes with weights: pool adjacent violators.
fn nearest_growing(wishes: &[(i32, i32)]) -> Vec<i32> {
    /// Wishes that cannot all be met, and meet in between: the weighted sum, the weight, and how many they are.
    type Pool = (i64, i64, usize);
    let mean = |(sum, weight, _): &Pool| sum.div_euclid(*weight);
    let mut pools: Vec<Pool> = Vec::with_capacity(wishes.len());
    for (wish, weight) in wishes {
        let mut pool = (i64::from(*wish) * i64::from(*weight), i64::from(*weight), 1);
        while let Some(above) = pools.pop_if(|above| mean(above) >= mean(&pool)) {
            pool = (above.0 + pool.0, above.1 + pool.1, above.2 + pool.2);
        }
        pools.push(pool);
    }
    let values = pools.iter().flat_map(|pool| std::iter::repeat_n(mean(pool), pool.2));
    values.map(|value| i32::try_from(value).unwrap_or(0)).collect()
}

/// The growing numbers that are at least as large as the wishes, and no larger than that needs.
fn pushed_down(wishes: &[(i32, i32)]) -> Vec<i32> {
    let mut lowest = i32::MIN;
    let numbers = wishes.iter().map(|(wish, _)| {
        lowest = lowest.max(*wish);
        lowest
    });
    numbers.collect()
}

/// Leaves steps where they were placed, and moves the others down from where they would be until there is room.
fn keep_placed(automatic: &[Placement], steps: &[LayoutStep<'_>]) -> Vec<Placement> {
    let mut places = automatic.to_vec();
    // From top to bottom.
    let mut taken: Vec<Placement> = Vec::with_capacity(steps.len());
    let take = |taken: &mut Vec<Placement>, place: Placement| {
        taken.insert(taken.partition_point(|other| other.y < place.y), place);
    };
    for (index, step) in steps.iter().enumerate() {
        if let Some(Placement { x, y }) = step.placement {
            places[index] = Placement { x: x.clamp(-FARTHEST, FARTHEST), y: y.clamp(-FARTHEST, FARTHEST) };
            take(&mut taken, places[index]);
        }
    }
    for (index, _) in steps.iter().enumerate().filter(|(_, step)| step.placement.is_none()) {
        let place = &mut places[index];
        for other in &taken {
            let is_beside = (place.x - other.x).abs() >= STEP_WIDTH + GAP;
            if !is_beside && (place.y - other.y).abs() < STEP_HEIGHT + GAP {
                place.y = other.y + STEP_HEIGHT + GAP;
            }
        }
        take(&mut taken, places[index]);
    }
    places
}

/// A count as a distance; there are never so many.
fn narrow(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn drawn(before: &[Vec<usize>]) -> Layout {
        placed(before, &[])
    }

    fn placed(before: &[Vec<usize>], placements: &[(usize, Placement)]) -> Layout {
        let placement = |index| placements.iter().find(|(step, _)| *step == index).map(|(_, placement)| *placement);
        let steps: Vec<_> = before
            .iter()
            .enumerate()
            .map(|(index, runs_after)| LayoutStep { runs_after, placement: placement(index) })
            .collect();
        lay_out(&steps)
    }

    fn places(layout: &Layout) -> Vec<(i32, i32)> {
        layout.steps.iter().map(|step| (step.x, step.y)).collect()
    }

    fn overlaps(steps: &[Placement]) -> bool {
        let touch = |a: &Placement, b: &Placement| (a.x - b.x).abs() < STEP_WIDTH && (a.y - b.y).abs() < STEP_HEIGHT;
        steps.iter().enumerate().any(|(index, step)| steps[..index].iter().any(|other| touch(step, other)))
    }

    /// How many lines between neighbouring layers cross.
    fn crossings(before: &[Vec<usize>]) -> u64 {
        let mut layers = Layers::of(before);
        layers.reduce_crossings();
        layers.crossings()
    }

    /// Each step waits for some of those that stand before it in the list.
    fn graphs(most: usize) -> impl Strategy<Value = Vec<Vec<usize>>> {
        vec(vec(any::<prop::sample::Index>(), 0..4), 1..most).prop_map(|steps| {
            let before = |(step, picks): (usize, Vec<prop::sample::Index>)| match step {
                0 => Vec::new(),
                _ => picks.iter().map(|pick| pick.index(step)).collect(),
            };
            steps.into_iter().enumerate().map(before).collect()
        })
    }

    #[test]
    fn a_diamond_is_symmetric() {
        let layout = drawn(&[vec![], vec![0], vec![0], vec![1, 2]]);
        assert_eq!(places(&layout), [(0, 32), (256, 0), (256, 64), (512, 32)]);
        assert_eq!((layout.origin, layout.width, layout.height), (Placement { x: 0, y: 0 }, 704, 112));
        assert_eq!(layout.lines.len(), 4);
    }

    #[test]
    fn a_row_is_a_straight_line() {
        let layout = drawn(&[vec![], vec![0], vec![1], vec![2]]);
        assert_eq!(places(&layout), [(0, 0), (256, 0), (512, 0), (768, 0)]);
        assert!(layout.lines.iter().all(|line| line.from.y == line.to.y));
    }

    #[test]
    fn a_long_line_passes_the_steps_in_between() {
        let layout = drawn(&[vec![], vec![0], vec![1], vec![0, 2]]);
        let pieces: Vec<&Line> = layout.lines.iter().filter(|line| line.into.is_none()).collect();
        assert_eq!(pieces.len(), 2);
        for line in pieces {
            assert_eq!(line.reach, line.to.x + STEP_WIDTH);
            let steps = layout.steps.iter().filter(|step| step.x == line.to.x);
            steps.for_each(|step| assert!(!(step.y..=step.y + STEP_HEIGHT).contains(&line.to.y), "{line:?} {step:?}"));
        }
    }

    #[test]
    fn a_connection_is_all_its_lines() {
        let ways = |layout: &Layout| {
            let way = |(from, into, lines): (usize, usize, Vec<Line>)| (from, into, lines.len());
            let mut ways: Vec<_> = layout.connections().map(way).collect();
            ways.sort_unstable();
            ways
        };
        let before = [vec![], vec![0], vec![1], vec![0, 2]];
        assert_eq!(ways(&drawn(&before)), [(0, 1, 1), (0, 3, 3), (1, 2, 1), (2, 3, 1)]);
        let spot = Placement { x: 900, y: 300 };
        assert_eq!(ways(&placed(&before, &[(3, spot)])), [(0, 1, 1), (0, 3, 1), (1, 2, 1), (2, 3, 1)]);
    }

    #[test]
    fn one_goes_from_step_to_step_as_they_stand() {
        let layout = drawn(&[vec![], vec![0], vec![0], vec![1, 2]]);
        let go = |from, direction| nearest(&layout.steps, from, direction);
        assert_eq!(
            (go(0, Direction::Right), go(1, Direction::Right), go(3, Direction::Right)),
            (Some(1), Some(3), None)
        );
        assert_eq!((go(1, Direction::Down), go(2, Direction::Up), go(1, Direction::Up)), (Some(2), Some(1), None));
        assert_eq!((go(3, Direction::Left), go(2, Direction::Left), go(0, Direction::Left)), (Some(1), Some(0), None));
        assert_eq!(Direction::Up.moved(Placement { x: 3, y: i32::MIN }, 8), Placement { x: 3, y: i32::MIN });
    }

    #[test]
    fn what_need_not_cross_does_not() {
        // Two rows, their second steps named in the other order.
        assert_eq!(crossings(&[vec![], vec![], vec![1], vec![0], vec![3], vec![2]]), 0);
        // A tree.
        let tree: Vec<Vec<usize>> =
            (0_usize..31).map(|step| step.checked_sub(1).map(|it| it / 2).into_iter().collect()).collect();
        assert_eq!(crossings(&tree), 0);
        // Every one of two with every one of two: once.
        assert_eq!(crossings(&[vec![], vec![], vec![0, 1], vec![0, 1]]), 1);
    }

    #[test]
    fn a_tall_drawing_begins_at_its_top() {
        let mut before = vec![vec![]];
        before.extend((0..200).map(|_| vec![0]));
        before.push((1..=200).collect());
        let layout = drawn(&before);
        assert_eq!([layout.steps[0].y, layout.steps[1].y, layout.steps[201].y], [0, 0, 0]);
        assert_eq!(layout.height, 200 * STEP_HEIGHT + 199 * GAP);
    }

    #[test]
    fn steps_in_a_circle_are_drawn_all_the_same() {
        let layout = drawn(&[vec![2], vec![0], vec![1], vec![3], vec![9]]);
        assert!(!overlaps(&layout.steps));
        assert_eq!(layout.lines.len(), 4);
        assert_eq!(drawn(&[]).steps, []);
    }

    #[test]
    fn a_dense_flow_has_no_more_lines_than_connections_and_bends() {
        let before: Vec<Vec<usize>> = (0..300).map(|step| (0..step).collect()).collect();
        let connections = 300 * 299 / 2;
        let layout = drawn(&before);
        assert!(layout.lines.len() <= connections + MAX_BENDS, "{}", layout.lines.len());
        assert!(!overlaps(&layout.steps));
    }

    #[test]
    fn placed_steps_stay_and_others_make_room() {
        let before = [vec![], vec![0], vec![0], vec![1, 2]];
        let spot = Placement { x: -40, y: 20 };
        let layout = placed(&before, &[(3, spot)]);
        assert_eq!(layout.steps[3], spot);
        assert_eq!(layout.origin, Placement { x: -40, y: 0 });
        assert_eq!(places(&layout)[..3], [(0, 84), (256, 0), (256, 64)]);
        let far = Placement { x: i32::MAX, y: i32::MIN };
        assert_eq!(placed(&before, &[(0, far)]).steps[0], Placement { x: FARTHEST, y: -FARTHEST });
    }

    proptest! {
        #[test]
        fn steps_stand_apart_and_after_those_that_they_wait_for(before in graphs(60)) {
            let layout = drawn(&before);
            prop_assert!(!overlaps(&layout.steps));
            for (step, before) in before.iter().enumerate() {
                for earlier in before {
                    prop_assert!(layout.steps[*earlier].x + STEP_WIDTH < layout.steps[step].x);
                }
            }
            for line in &layout.lines {
                prop_assert!(line.from.x < line.to.x && line.to.x <= line.reach);
            }
            for (from, into, way) in layout.connections() {
                prop_assert!(before[into].contains(&from));
                prop_assert!(way.windows(2).all(|pair| (pair[0].reach, pair[0].to.y) == (pair[1].from.x, pair[1].from.y)));
            }
            let connections: usize = before.iter().map(|earlier| known_once(earlier, before.len()).len()).sum();
            prop_assert_eq!(layout.connections().count(), connections);
            prop_assert_eq!(drawn(&before), layout, "the same each time");
        }

        #[test]
        fn what_is_placed_is_kept_and_the_rest_stands_apart(
            before in graphs(30),
            spots in vec((0_i32..8, 0_i32..8), 0..8),
        ) {
            // Placed on a grid, so that these do not overlap each other already.
            let mut spots: Vec<Placement> = spots.iter().map(|(x, y)| Placement { x: x * 210 - 400, y: y * 70 - 200 }).collect();
            spots.sort_by_key(|spot| (spot.x, spot.y));
            spots.dedup();
            let placements: Vec<_> = spots.into_iter().enumerate().take(before.len()).collect();
            let layout = placed(&before, &placements);
            for (step, placement) in placements {
                prop_assert_eq!(layout.steps[step], placement);
            }
            prop_assert!(!overlaps(&layout.steps));
        }

        #[test]
        fn growing_numbers_grow(wishes in vec((-500_i32..500, 1_i32..5), 0..30)) {
            for numbers in [nearest_growing(&wishes), pushed_down(&wishes)] {
                prop_assert_eq!(numbers.len(), wishes.len());
                prop_assert!(numbers.is_sorted());
            }
        }

        #[test]
        fn inversions_are_counted(numbers in vec(0_usize..20, 0..30)) {
            let slow = numbers.iter().enumerate().map(|(index, number)| {
                numbers[..index].iter().filter(|before| *before > number).count() as u64
            });
            prop_assert_eq!(inversions(&numbers, 20), slow.sum::<u64>());
        }
    }
}
